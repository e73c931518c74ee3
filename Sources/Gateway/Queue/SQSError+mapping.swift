import Delivery
import EventLog
import LibPQ
import Logging
import SQSProtocol

extension SQSError {
    /// What an error means to a client of the SQS protocol; what is nobody's business but the operator's goes into the
    /// log.
    init(mapping error: any Error, logger: Logger) {
        switch error {
        case let error as SQSError: self = error
        case let fault as SignatureFault: self.init(fault)
        case let error as QueueError: self.init(error)
        case let error as QueueDirectoryError: self.init(error, logger: logger)
        case let problem as Problem: self.init(problem)
        default: self.init(Problem(mapping: error, logger: logger))
        }
    }

    private init(_ error: QueueError) {
        switch error {
        case .notOwner, .unavailable: self = .unavailable("The queue cannot be reached; it may have been done.")
        case .overloaded: self = .unavailable("Too many requests wait for the queue; nothing was done.")
        case .shuttingDown: self = .unavailable("The server is shutting down; nothing was done.")
        case .inFlightLimit: self = .overLimit("Too many messages are in flight.")
        }
    }

    private init(_ error: QueueDirectoryError, logger: Logger) {
        switch error {
        case .noSuchQueue: self = .queueDoesNotExist
        case .nameTaken: self = .queueNameExists()
        case .builtIn: self = .accessDenied("This queue is Rastro's own.")
        case .purgeInProgress: self = .invalidParameterValue("A purge is in progress.")
        case .deadLetterQueueInvalid(let reason): self = .invalidParameterValue("\(reason).")
        case .tooManyQueues: self = .overLimit("There are as many queues as there may be.")
        case .tooManyInUse: self = .unavailable("As many queues are in use here as may be; nothing was done.")
        case .tooManyTags: self = .invalidParameterValue("Too many tags added: a queue may have 50.")
        case .moveInProgress: self = .taskRunning
        case .noSuchMove: self = .taskDoesNotExist
        case .moveRefused(let reason): self = .accessDenied(reason)
        case .database(let error): self.init(mapping: error, logger: logger)
        case .commit(let error): self.init(mapping: error, logger: logger)
        case .cancelled: self = .unavailable("The server is shutting down; nothing was done.")
        }
    }

    private init(_ problem: Problem) {
        switch problem.code {
        case .unauthenticated: self.init(SignatureFault.unknownKey)
        case .tooManyRefusals: self = .throttled(problem.detail)
        case .bodyTooLarge: self = .requestTooLong(problem.detail)
        case .malformedBody: self = .serialization(problem.detail)
        case .overloaded, .unavailable, .outcomeUnknown, .programTooOld: self = .unavailable(problem.detail)
        default: self = .internalFailure
        }
    }
}
