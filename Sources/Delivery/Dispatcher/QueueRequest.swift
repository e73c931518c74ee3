/// One of the queues that exist from the start.
package enum BuiltInQueue: Int16, Sendable, CaseIterable {
    /// For the outside.
    case productEvents = 1
    /// The built-in consumer's.
    case productActivity = 2

    package var name: String {
        switch self {
        case .productEvents: "product-events.fifo"
        case .productActivity: "product-activity.fifo"
        }
    }
}

/// What a queue's dispatcher is asked.
enum QueueRequest: Sendable {
    case receive(Receive)
    case delete([QueueHandle], Reply<[QueueState.HandleOutcome]>)
    case changeVisibility(QueueHandle, Duration, Reply<QueueState.HandleOutcome>)

    struct Receive: Sendable {
        let max: Int
        /// Nil: the queue's own.
        let visibilityTimeout: Duration?
        /// Until when an empty queue is waited on.
        let deadline: ContinuousClock.Instant
        let reply: Reply<[QueueMessage]>
    }

    typealias Reply<Value: Sendable> = UnsafeContinuation<Result<Value, QueueError>, Never>

    func refuse(_ error: QueueError) {
        switch self {
        case .receive(let receive): receive.reply.resume(returning: .failure(error))
        case .delete(_, let reply): reply.resume(returning: .failure(error))
        case .changeVisibility(_, _, let reply): reply.resume(returning: .failure(error))
        }
    }
}

/// Why a queue gave no answer; nothing was done, or what was done is void.
package enum QueueError: Error, Sendable, Hashable {
    /// Another process owns the queue.
    case notOwner
    /// The database could not be reached, or the batch was lost: what was asked may have been written.
    case unavailable
    /// Too many requests wait.
    case overloaded
    case shuttingDown
}
