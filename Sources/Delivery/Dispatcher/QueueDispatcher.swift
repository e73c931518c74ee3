import Catalog
import EventLog
import LibPQ
import Logging

/// The owner of one queue: holds its state in memory, writes its journal, and answers after the commit.
///
/// Runs on a thread of its own with blocking calls. Waiting receives and deletes are committed together: one pipeline,
/// one transaction, one round trip. Its states:
///
///     standby ──take over──► owner ──deposed, or connection lost──► standby
///
/// What a lost batch held is void: memory is dropped, and the journal is read again at the next take-over.
final class QueueDispatcher {
    struct Settings: Sendable {
        var connection: ConnectionConfiguration
        /// Names this process among the owners.
        var owner: String
        /// How long another process waits for an owner that gives no sign.
        var lease: Duration = .seconds(4)
        /// How often the lease is renewed.
        var renewal: Duration = .seconds(1)
        /// How often a standby looks whether the queue is free.
        var standby: Duration = .milliseconds(500)
        /// How often the log is looked at when nothing wakes the dispatcher.
        var poll: Duration = .milliseconds(200)
        /// Events a scan reads at most.
        var scanLimit: Int32 = 2_000
        /// Groups that are read back in one batch at most.
        var refillLimit = 100
    }

    let queue: BuiltInQueue
    let inbox: QueueInbox
    let settings: Settings
    let logger: Logger
    var ownership: Ownership?
    /// The standby's session: asking whether the queue is free costs one statement, not a connection.
    var standbySession: Session?
    private var lastAttempt: ContinuousClock.Instant?
    private var waiting: [QueueRequest.Receive] = []

    struct Ownership {
        let session: Session
        let epoch: Int64
        let visibilityTimeout: Int64
        let maxReceiveCount: Int?
        /// Live messages first, then the replays under way, the oldest first.
        var sources: [MessageSource]
        var renewed: ContinuousClock.Instant
        let clock: SteadyClock
    }

    init(queue: BuiltInQueue, inbox: QueueInbox, settings: Settings, logger: Logger) {
        self.queue = queue
        self.inbox = inbox
        self.settings = settings
        self.logger = logger
    }

    /// Serves until the inbox is closed. Blocks its thread.
    func run() {
        while !inbox.isClosed {
            guard ownership != nil || mayTakeOver() else {
                refuse(inbox.take(waitingAtMost: settings.standby.microseconds), .notOwner)
                continue
            }
            let requests = inbox.take(waitingAtMost: waitingTime)
            do {
                try serve(requests)
            } catch {
                logger.notice("the queue is given up", metadata: ["queue": "\(queue.name)", "error": "\(error)"])
                drop()
            }
        }
        refuse(inbox.take(waitingAtMost: 0), .shuttingDown)
        refuse(waiting.map(QueueRequest.receive), .shuttingDown)
        leave()
    }

    /// One round: inputs, journal, commit, answers.
    private func serve(_ requests: [QueueRequest]) throws {
        // Taken out, not copied: with a second reference every round would copy the whole state.
        guard var owned = ownership.take() else { return }
        let now = owned.clock.microseconds
        for index in owned.sources.indices { owned.sources[index].state.advance(to: now) }
        var answers: [() -> Void] = []
        for request in requests {
            switch request {
            case .receive(let receive): waiting.append(receive)
            case .delete(let handles, let reply):
                let outcomes = handles.map { owned.delete($0, now: now) }
                answers.append { reply.resume(returning: .success(outcomes)) }
            case .changeVisibility(let handle, let timeout, let reply):
                let outcome = owned.changeVisibility(handle, to: timeout.microseconds, now: now)
                answers.append { reply.resume(returning: .success(outcome)) }
            }
        }
        give(from: &owned, now: now, to: &answers)
        do {
            try commit(&owned)
        } catch {
            refuse(requests.filter { if case .receive = $0 { false } else { true } }, .unavailable)
            for receive in received { receive.reply.resume(returning: .failure(.unavailable)) }
            received = []
            owned.session.close()
            throw error
        }
        received = []
        ownership = owned
        for answer in answers { answer() }
        // What the scan has just brought in may serve those who still wait.
        if !waiting.isEmpty, owned.sources.contains(where: { $0.state.readyCount > 0 }) { inbox.wake() }
    }

    /// Receives that were given messages in this round, until its commit.
    private var received: [QueueRequest.Receive] = []

    /// Gives messages to those who wait, first come first served; who has waited long enough gets none.
    private func give(from owned: inout Ownership, now: Int64, to answers: inout [() -> Void]) {
        let instant = ContinuousClock.now
        var still: [QueueRequest.Receive] = []
        for receive in waiting {
            let messages = owned.receive(
                max: min(receive.max, QueueState.leaseCapacity),
                visibilityTimeout: receive.visibilityTimeout?.microseconds ?? owned.visibilityTimeout,
                now: now
            )
            if messages.isEmpty, receive.deadline > instant {
                still.append(receive)
                continue
            }
            received.append(receive)
            answers.append { receive.reply.resume(returning: .success(messages)) }
        }
        waiting = still
    }

    /// How long the thread may sleep, in microseconds.
    private var waitingTime: Int64 {
        var time = settings.poll.microseconds
        if let timer = ownership?.sources.compactMap(\.state.nextTimer).min(), let clock = ownership?.clock {
            time = min(time, max(0, timer - clock.microseconds))
        }
        if let soonest = waiting.map(\.deadline).min() {
            time = min(time, max(0, (soonest - ContinuousClock.now).microseconds))
        }
        return time
    }

    /// Tries to take the queue over, at most once an interval however many requests come meanwhile.
    private func mayTakeOver() -> Bool {
        if let lastAttempt, ContinuousClock.now - lastAttempt < settings.standby { return false }
        lastAttempt = .now
        return takeOver()
    }

    private func refuse(_ requests: [QueueRequest], _ error: QueueError) {
        for request in requests { request.refuse(error) }
    }

    /// Forgets the state; those who wait are told.
    private func drop() {
        ownership?.session.close()
        ownership = nil
        refuse(waiting.map(QueueRequest.receive), .unavailable)
        waiting = []
    }
}

extension QueueDispatcher.Ownership {
    /// Live messages first; what room is left goes to the replays.
    mutating func receive(max: Int, visibilityTimeout: Int64, now: Int64) -> [QueueMessage] {
        var messages: [QueueMessage] = []
        for index in sources.indices where messages.count < max {
            let replay = sources[index].replay
            messages += sources[index].state.receive(
                max: max - messages.count,
                visibilityTimeout: visibilityTimeout,
                now: now
            ).map { message in
                QueueMessage(
                    handle: QueueHandle(replay: replay, receipt: message.handle),
                    receiveCount: message.receiveCount
                )
            }
        }
        return messages
    }

    mutating func delete(_ handle: QueueHandle, now: Int64) -> QueueState.HandleOutcome {
        // A replay that is over has no messages left: deleting twice is fine.
        guard let index = sources.firstIndex(where: { $0.replay == handle.replay }) else { return .done }
        return sources[index].state.delete(handle.receipt, now: now)
    }

    mutating func changeVisibility(_ handle: QueueHandle, to timeout: Int64, now: Int64) -> QueueState.HandleOutcome {
        guard let index = sources.firstIndex(where: { $0.replay == handle.replay }) else { return .unknown }
        return sources[index].state.changeVisibility(handle.receipt, visibilityTimeout: timeout, now: now)
    }
}

/// The wall clock as it was at a take-over, going on steadily: the machine's clock may step, a message's time may not.
struct SteadyClock {
    private let start = Timestamp.now().microseconds
    private let instant = ContinuousClock.now

    /// Microseconds since the Unix epoch.
    var microseconds: Int64 { start + (ContinuousClock.now - instant).microseconds }
}

extension Duration {
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
