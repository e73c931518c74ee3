import Synchronization

/// A queue as this process's tasks see it: positions and handles, no bodies.
package final class QueueClient: Sendable {
    package let queue: QueueReference
    let inbox = QueueInbox()

    package init(_ queue: QueueReference) { self.queue = queue }

    /// This process owns the queue, as far as it knows.
    package var isOwner: Bool { inbox.isOwner.load(ordering: .relaxed) }

    /// Receives up to `max` messages (at most 10), each invisible for `visibilityTimeout` (nil: the queue's own).
    ///
    /// Waits for up to `wait` while there is none; holds no database connection meanwhile. What was received is written
    /// down before this returns. Cancellation is not looked at.
    ///
    /// - Parameter attempt: names this receive: repeated within five minutes, it gives the same messages while all of them
    ///   are still in flight, each invisible anew.
    package func receive(
        max: Int = QueueState.leaseCapacity,
        visibilityTimeout: Duration? = nil,
        wait: Duration = .zero,
        attempt: String? = nil
    ) async throws(QueueError) -> [QueueMessage] {
        let deadline = ContinuousClock.now + wait
        return try await ask { reply in
            .receive(
                QueueRequest.Receive(
                    max: max,
                    visibilityTimeout: visibilityTimeout,
                    deadline: deadline,
                    attempt: attempt,
                    reply: reply
                )
            )
        }
    }

    /// Deletes messages for good; an outcome a handle, in order.
    package func delete(_ handles: [QueueHandle]) async throws(QueueError) -> [QueueState.HandleOutcome] {
        try await ask { .delete(handles, $0) }
    }

    /// Sets when messages are visible again; an outcome a change, in order.
    package func changeVisibility(_ changes: [VisibilityChange]) async throws(QueueError) -> [QueueState.HandleOutcome]
    {
        try await ask { .changeVisibility(changes, $0) }
    }

    /// Adds messages, in order; a result each, in order. All or none are added.
    package func send(_ messages: [NewMessage]) async throws(QueueError) -> [SentMessage] {
        try await ask { .send(messages, $0) }
    }

    /// How many messages there are, about.
    package func counts() async throws(QueueError) -> QueueCounts { try await ask { .count($0) } }

    /// How the queue stands. Unlike other requests it does not keep an idle queue.
    func level() async throws(QueueError) -> QueueLevel { try await ask { .level($0) } }

    /// Has the dispatcher read the queue's row again.
    func refresh() { inbox.add(.refresh) }

    private func ask<Value: Sendable>(
        _ request: (QueueRequest.Reply<Value>) -> QueueRequest
    ) async throws(QueueError) -> Value {
        let result: Result<Value, QueueError> = await withUnsafeContinuation { inbox.add(request($0)) }
        return try result.get()
    }
}
