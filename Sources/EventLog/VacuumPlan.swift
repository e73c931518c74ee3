/// Which tables are to be vacuumed: those with enough dead rows, but not again and again while somebody's snapshot keeps
/// them from going. Pure.
struct VacuumPlan: Sendable {
    struct Table: Sendable, Equatable {
        /// Quoted, with its schema.
        let name: String
        /// Dead rows, an estimate.
        let dead: Int64
        /// From so many on it is worth while.
        let threshold: Int64
        /// This role may vacuum it.
        let isAllowed: Bool
    }

    private struct Last {
        let took: Duration
        let end: ContinuousClock.Instant
        /// Until it is known better: enough to make the next one wait.
        var isInVain = true
    }

    private var last: [String: Last] = [:]

    /// One that left as many dead rows as make it worth while, or failed, is repeated so late that all of them together
    /// take a tenth of the time at most.
    private static let rest = 10

    func isDue(_ table: Table, at now: ContinuousClock.Instant) -> Bool {
        guard table.dead >= table.threshold else { return false }
        guard let last = last[table.name], last.isInVain else { return true }
        return now - last.end >= last.took * Self.rest
    }

    /// The table was vacuumed, or it was tried.
    mutating func tried(_ table: Table, from start: ContinuousClock.Instant, to end: ContinuousClock.Instant) {
        last[table.name] = Last(took: end - start, end: end)
    }

    /// What is left after that.
    mutating func left(_ table: Table) {
        last[table.name]?.isInVain = table.dead >= table.threshold
    }
}
