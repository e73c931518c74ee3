/// What is to be told about messages that were worked on.
struct ConsumerSettlement {
    struct Failure {
        let position: Int64
        let reason: String
    }

    /// To be deleted.
    var applied: [QueueHandle] = []
    /// To be kept for operators, before the queue is told.
    var failures: [Failure] = []
    /// What failed comes again later, what was not tried at once.
    var changes: [VisibilityChange] = []

    var isEmpty: Bool { applied.isEmpty && failures.isEmpty && changes.isEmpty }

    mutating func add(_ other: ConsumerSettlement) {
        applied += other.applied
        failures += other.failures
        changes += other.changes
    }
}
