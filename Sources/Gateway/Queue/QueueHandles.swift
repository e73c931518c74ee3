import Delivery
import SQSProtocol

/// What becomes of receipt handles, in the words of the protocol.
enum QueueHandles {
    /// - Parameter outcome: nil for a text that is no handle of the queue.
    static func judgeDelete(
        _ outcome: QueueState.HandleOutcome?,
        _ handle: String,
        _ queue: QueueDescription
    ) -> Result<Void, SQSError> {
        switch outcome {
        case .done: .success(())
        case .expired: queue.settings.isFIFO ? .failure(.expiredReceiptHandle(handle)) : .success(())
        case .unknown, nil: .failure(.invalidReceiptHandle(handle))
        }
    }

    static func judgeChange(
        _ outcome: QueueState.HandleOutcome?,
        _ handle: String,
        _ queue: QueueDescription
    ) -> Result<Void, SQSError> {
        switch outcome {
        case .done: .success(())
        case .expired:
            .failure(queue.settings.isFIFO ? .expiredReceiptHandle(handle) : .messageNotInFlight)
        case .unknown: .failure(.notInFlight(handle))
        case nil: .failure(.invalidReceiptHandle(handle))
        }
    }
}
