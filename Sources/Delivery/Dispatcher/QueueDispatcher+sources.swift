extension QueueDispatcher.Ownership {
    /// As many messages may be in flight in one queue as in the real service.
    private static let inFlightLimit = 120_000

    var hasReady: Bool { sources.contains { $0.state.readyCount > 0 } }

    /// So many messages are in flight that none is given before some are deleted.
    var isFull: Bool { !hasReady && sources.reduce(0) { $0 + $1.state.handedOutCount } >= Self.inFlightLimit }

    /// Gives what a receive asks for, or what it was given before.
    mutating func receive(_ receive: QueueRequest.Receive, now: Int64) -> [QueueMessage] {
        let timeout = receive.visibilityTimeout?.microseconds ?? queue.settings.visibilityTimeout.microseconds
        if let attempt = receive.attempt, let given = attempts.find(attempt, now: now) {
            // Checked before any is changed: if one of them is no longer in flight, the attempt is over.
            if given.allSatisfy({ isInFlight($0.handle, now: now) }) {
                for message in given { _ = changeVisibility(message.handle, to: timeout, now: now) }
                return given
            }
            attempts.forget(attempt)
        }
        let messages = self.receive(
            max: min(receive.max, QueueState.leaseCapacity),
            visibilityTimeout: timeout,
            now: now
        )
        if let attempt = receive.attempt, !messages.isEmpty { attempts.add(messages, as: attempt, now: now) }
        return messages
    }

    /// The main source first; what room is left goes to the others.
    mutating func receive(max: Int, visibilityTimeout: Int64, now: Int64) -> [QueueMessage] {
        var messages: [QueueMessage] = []
        for index in sources.indices where messages.count < max {
            let source = sources[index].number
            let given = sources[index].state.receive(
                max: max - messages.count,
                visibilityTimeout: visibilityTimeout,
                now: now
            )
            messages += given.map { message in
                QueueMessage(
                    handle: QueueHandle(source: source, receipt: message.handle),
                    receiveCount: message.receiveCount,
                    firstReceivedAt: message.firstReceivedAt
                )
            }
        }
        return messages
    }

    mutating func delete(_ handle: QueueHandle, now: Int64) -> QueueState.HandleOutcome {
        // A replay that is over has no messages left: deleting twice is fine.
        guard let index = index(of: handle) else { return .done }
        return sources[index].state.delete(handle.receipt, now: now, isLate: !queue.settings.isFIFO)
    }

    mutating func make(_ change: VisibilityChange, now: Int64) -> QueueState.HandleOutcome {
        guard change.isGivenBack else {
            return changeVisibility(change.handle, to: change.timeout.microseconds, now: now)
        }
        guard let index = index(of: change.handle) else { return .unknown }
        return sources[index].state.giveBack(change.handle.receipt, now: now)
    }

    private mutating func changeVisibility(_ handle: QueueHandle, to timeout: Int64, now: Int64)
        -> QueueState.HandleOutcome
    {
        guard let index = index(of: handle) else { return .unknown }
        return sources[index].state.changeVisibility(handle.receipt, visibilityTimeout: timeout, now: now)
    }

    private func isInFlight(_ handle: QueueHandle, now: Int64) -> Bool {
        index(of: handle).map { sources[$0].state.isInFlight(handle.receipt, now: now) } ?? false
    }

    private func index(of handle: QueueHandle) -> Int? { sources.firstIndex { $0.number == handle.source } }

    /// What of the log or of the own messages was not looked at yet is not among these.
    func counts(now: Int64) -> (visible: Int, inFlight: Int, delayed: Int) {
        var total = (visible: 0, inFlight: 0, delayed: 0)
        for source in sources {
            let counts = source.state.counts
            let inFlight = source.state.inFlightCount(now: now)
            let delayed = source.state.delayedCount(now: now)
            total.visible += counts.waiting - delayed + counts.handedOut - inFlight
            total.inFlight += inFlight
            total.delayed += delayed
        }
        return total
    }

    /// Takes messages out for the move under way: given to nobody, deleted here in the batch that adds them there.
    mutating func takeForMove(_ round: inout QueueDispatcher.Round, now: Int64) {
        guard var progress = move,
            let main = sources.firstIndex(where: { $0.number == MessageSource.main && $0.kind == .messages })
        else { return }
        while progress.allowance > 0, sources[main].state.readyCount > 0 {
            let given = sources[main].state.receive(
                max: min(progress.allowance, QueueState.leaseCapacity),
                visibilityTimeout: Self.moveTimeout,
                now: now
            )
            for message in given { _ = sources[main].state.delete(message.handle, now: now) }
            round.moved += given.map(\.handle.position)
            progress.take(given.count)
            if given.isEmpty || round.moved.count >= Self.moveBatch { break }
        }
        progress.isOver = progress.isOver || progress.isComplete || (round.moved.isEmpty && sources[main].isDrained)
        move = progress
    }

    private static let moveTimeout: Int64 = 60_000_000
    /// Messages moved in one batch.
    private static let moveBatch = 500
}
