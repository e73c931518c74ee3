import LibPQ
import Logging
import Monitoring
import ServiceLifecycle

/// One of a consumer's workers: receives, applies, tells the queue.
struct ConsumerWorker: Sendable {
    let queue: QueueClient
    let store: ConsumerStore
    let ledger: ConsumerLedger
    let settings: ConsumerService.Settings
    let meter: ConsumerMeter
    let logger: Logger

    /// Works until graceful shutdown; what was received by then is still applied and settled.
    func run() async {
        while !Task.isCancelled, !Task.isShuttingDownGracefully {
            do {
                try await settle()
                try await consume()
            } catch QueueError.shuttingDown {
                return
            } catch {
                if error as? QueueError != .notOwner {
                    logger.notice("the consumer pauses", metadata: ["error": "\(error)"])
                }
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: settings.pause) }
            }
        }
        try? await settle()
    }

    private func consume() async throws {
        let deadline = ContinuousClock.now + settings.visibility - settings.margin
        let messages = try await receive()
        guard !messages.isEmpty else { return }
        let groups = ledger.claim(Set(messages.map(\.group)))
        defer { ledger.release(groups) }
        let others = messages.filter { !groups.contains($0.group) }
        var settlement = ConsumerSettlement()
        settlement.changes = others.map { VisibilityChange.givingBack($0.handle) }
        ledger.add(settlement)
        var batch = try await makeBatch(messages.filter { groups.contains($0.group) })
        let outage = await work(&batch, until: deadline)
        ledger.add(batch.takeSettlement())
        try await settle()
        if let outage { throw outage }
        if groups.isEmpty { try await Task.sleep(for: Self.turn) }
    }

    /// How long a worker leaves products alone that another one works on.
    private static let turn: Duration = .milliseconds(20)

    /// Up to ten messages, or when there are so many, what several receives bring.
    private func receive() async throws -> [QueueMessage] {
        let first = try await queue.receive(visibilityTimeout: settings.visibility, wait: settings.wait)
        guard first.count == QueueState.leaseCapacity else { return first }
        return await withTaskGroup(of: [QueueMessage].self) { group in
            for _ in 1..<settings.receives {
                group.addTask { (try? await queue.receive(visibilityTimeout: settings.visibility)) ?? [] }
            }
            return await group.reduce(into: first) { $0 += $1 }
        }
    }

    /// What is to be applied. A replay repairs nobody's effects: the first delivery had its effect, or will.
    private func makeBatch(_ messages: [QueueMessage]) async throws -> ConsumerBatch {
        var settlement = ConsumerSettlement()
        defer { ledger.add(settlement) }
        var events = messages.filter { !$0.isReplay && !$0.isMoved }.map { ConsumerBatch.Message($0, $0.position) }
        settlement.applied = messages.filter(\.isReplay).map(\.handle)
        let moved = messages.filter(\.isMoved)
        guard !moved.isEmpty else { return ConsumerBatch(events, retry: settings.retry) }
        let found: [Int64: (position: Int64?, isReplay: Bool)]
        do {
            found = try await store.movedEvents(moved.map(\.position))
        } catch {
            settlement.changes += messages.filter { !$0.isReplay }.map { VisibilityChange.givingBack($0.handle) }
            throw error
        }
        for message in moved {
            guard let event = found[message.position], !event.isReplay else {
                settlement.applied.append(message.handle)
                continue
            }
            if let position = event.position {
                events.append(ConsumerBatch.Message(message, position))
            } else {
                logger.notice("a message that is no event was moved here", metadata: ["number": "\(message.position)"])
                let delay = settings.retry.after(receives: message.receiveCount)
                settlement.changes.append(VisibilityChange(handle: message.handle, timeout: delay))
            }
        }
        return ConsumerBatch(events, retry: settings.retry)
    }

    /// Applies the batch part by part; what the database as a whole refuses ends it.
    private func work(_ batch: inout ConsumerBatch, until deadline: ContinuousClock.Instant) async -> (any Error)? {
        while let part = batch.next() {
            guard ContinuousClock.now < deadline else {
                // Another may be given them by the time they are applied.
                batch.giveUp(part)
                return nil
            }
            do {
                try await store.apply(part.map(\.position))
                batch.succeed(part)
                meter.done.add(part.count)
            } catch {
                guard case .events(let reason) = ConsumerFault(error) else {
                    batch.giveUp(part)
                    return error
                }
                report(error, reason, part)
                batch.fail(part, reason: reason)
            }
            guard batch.isDivided else { continue }
            ledger.add(batch.takeSettlement())
            do { try await settle() } catch {
                batch.giveUp([])
                return error
            }
        }
        return nil
    }

    private func report(_ error: any Error, _ reason: String, _ part: [ConsumerBatch.Message]) {
        guard let message = part.first, part.count == 1 else { return }
        meter.failed.add()
        logger.notice(
            "an event cannot be applied",
            metadata: [
                "position": "\(message.position)", "receives": "\(message.receiveCount)", "error": "\(reason)",
            ]
        )
        logger.debug("it is", metadata: ["detail": "\(String(reflecting: error))"])
    }

    /// Tells the queue what is open; what it did not take stays open.
    private func settle() async throws {
        var open = ledger.take()
        guard !open.isEmpty else { return }
        do {
            if !open.failures.isEmpty {
                try await store.keep(open.failures)
                open.failures = []
            }
            if !open.applied.isEmpty {
                _ = try await queue.delete(open.applied)
                open.applied = []
            }
            if !open.changes.isEmpty { _ = try await queue.changeVisibility(open.changes) }
        } catch {
            ledger.add(open)
            throw error
        }
    }
}

extension ConsumerBatch.Message {
    fileprivate init(_ message: QueueMessage, _ position: Int64) {
        self.init(handle: message.handle, position: position, receiveCount: message.receiveCount)
    }
}
