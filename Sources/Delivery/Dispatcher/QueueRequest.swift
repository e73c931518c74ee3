/// What a queue's dispatcher is asked.
enum QueueRequest: Sendable {
    case receive(Receive)
    case delete([QueueHandle], Reply<[QueueState.HandleOutcome]>)
    case changeVisibility([VisibilityChange], Reply<[QueueState.HandleOutcome]>)
    case send([NewMessage], Reply<[SentMessage]>)
    case count(Reply<QueueCounts>)
    /// For metrics: does not keep an idle queue.
    case level(Reply<QueueLevel>)
    /// The queue's row has changed, or a move was asked for.
    case refresh

    struct Receive: Sendable {
        let max: Int
        /// Nil: the queue's own.
        let visibilityTimeout: Duration?
        /// Until when an empty queue is waited on.
        let deadline: ContinuousClock.Instant
        /// Names this receive, so that repeating it gives the same messages.
        let attempt: String?
        let reply: Reply<[QueueMessage]>
    }

    typealias Reply<Value: Sendable> = UnsafeContinuation<Result<Value, QueueError>, Never>

    /// What it takes of the memory that may wait.
    var byteCount: Int {
        guard case .send(let messages, _) = self else { return 256 }
        return messages.reduce(256) { $0 + $1.byteCount }
    }

    /// Somebody uses the queue.
    var isUse: Bool { if case .level = self { false } else { true } }

    func refuse(_ error: QueueError) {
        switch self {
        case .receive(let receive): receive.reply.resume(returning: .failure(error))
        case .delete(_, let reply): reply.resume(returning: .failure(error))
        case .changeVisibility(_, let reply): reply.resume(returning: .failure(error))
        case .send(_, let reply): reply.resume(returning: .failure(error))
        case .count(let reply): reply.resume(returning: .failure(error))
        case .level(let reply): reply.resume(returning: .failure(error))
        case .refresh: break
        }
    }
}

/// When a message is to be visible again, counted from now.
package struct VisibilityChange: Sendable {
    package let handle: QueueHandle
    package let timeout: Duration
    /// The receive does not count: see `QueueState.giveBack`.
    let isGivenBack: Bool

    package init(handle: QueueHandle, timeout: Duration) {
        self.init(handle: handle, timeout: timeout, isGivenBack: false)
    }

    private init(handle: QueueHandle, timeout: Duration, isGivenBack: Bool) {
        self.handle = handle
        self.timeout = timeout
        self.isGivenBack = isGivenBack
    }

    /// Visible at once, as if it had not been received.
    package static func givingBack(_ handle: QueueHandle) -> VisibilityChange {
        VisibilityChange(handle: handle, timeout: .zero, isGivenBack: true)
    }
}

/// How many messages a queue has, about.
package struct QueueCounts: Sendable, Equatable {
    package let visible: Int
    package let inFlight: Int
    package let delayed: Int
}

/// Why a queue gave no answer; nothing was done, or what was done is void.
package enum QueueError: Error, Sendable, Hashable {
    /// Another process owns the queue.
    case notOwner
    /// The database could not be reached, or the batch was lost: what was asked may have been written.
    case unavailable
    /// Too many requests wait.
    case overloaded
    /// As many messages are in flight as may be.
    case inFlightLimit
    case shuttingDown
}
