/// A queue as this process's tasks see it.
package final class QueueClient: Sendable {
    package let queue: BuiltInQueue
    let inbox: QueueInbox
    /// How many requests may wait for the dispatcher.
    private static let waitingLimit = 10_000

    package init(_ queue: BuiltInQueue) {
        self.queue = queue
        inbox = QueueInbox(limit: Self.waitingLimit)
    }

    /// Receives up to `max` messages (at most 10), each invisible for `visibilityTimeout` (nil: the queue's own).
    ///
    /// Waits for up to `wait` while there is none; holds no database connection meanwhile. What was received is written
    /// down before this returns. Cancellation is not looked at.
    package func receive(
        max: Int = QueueState.leaseCapacity,
        visibilityTimeout: Duration? = nil,
        wait: Duration = .zero
    ) async throws(QueueError) -> [QueueMessage] {
        let deadline = ContinuousClock.now + wait
        return try await ask { reply in
            .receive(
                QueueRequest.Receive(
                    max: max,
                    visibilityTimeout: visibilityTimeout,
                    deadline: deadline,
                    reply: reply
                )
            )
        }
    }

    /// Deletes messages for good; an outcome a handle, in order.
    package func delete(_ handles: [QueueHandle]) async throws(QueueError) -> [QueueState.HandleOutcome] {
        try await ask { .delete(handles, $0) }
    }

    /// Makes a message visible again after `timeout` from now.
    package func changeVisibility(_ handle: QueueHandle, to timeout: Duration) async throws(QueueError)
        -> QueueState.HandleOutcome
    {
        try await ask { .changeVisibility(handle, timeout, $0) }
    }

    private func ask<Value: Sendable>(
        _ request: (QueueRequest.Reply<Value>) -> QueueRequest
    ) async throws(QueueError) -> Value {
        let result: Result<Value, QueueError> = await withUnsafeContinuation { inbox.add(request($0)) }
        return try result.get()
    }
}
