package import EventLog
package import LibPQ

/// Why the directory of queues did not do what it was asked for; nothing was changed.
package enum QueueDirectoryError: Error, Sendable {
    case noSuchQueue
    /// A queue of this name exists with other settings.
    case nameTaken
    case builtIn
    /// Purged within the last minute.
    case purgeInProgress
    /// The redrive policy names a queue that cannot take its dead letters.
    case deadLetterQueueInvalid(String)
    case tooManyQueues
    /// As many queues are in use in this process as may be.
    case tooManyInUse
    case tooManyTags
    /// A move out of this queue is under way.
    case moveInProgress
    case noSuchMove
    /// Messages may not be moved there; a sentence says why.
    case moveRefused(String)
    case database(PostgresError)
    case commit(CommitError)
    case cancelled

    init(_ error: any Error) {
        switch error {
        case let error as QueueDirectoryError: self = error
        case let error as PostgresError: self = .database(error)
        case let error as CommitError: self = .commit(error)
        default: self = .cancelled
        }
    }
}
