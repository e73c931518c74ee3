/// A stretch of the log that is walked from one of its ends.
struct PositionRange: Sendable, Hashable {
    /// Exclusive.
    var low: Int64
    /// Inclusive.
    var high: Int64
    let order: EventFilter.Order

    var isEmpty: Bool { low >= high }

    func contains(_ position: Int64) -> Bool { position > low && position <= high }

    /// What is left after everything up to and with `position` was walked.
    func rest(after position: Int64) -> PositionRange {
        var rest = self
        switch order {
        case .oldestFirst: rest.low = max(low, position)
        case .newestFirst: rest.high = min(high, position - 1)
        }
        return rest
    }

    /// Nothing: all of it was walked.
    var done: PositionRange { rest(after: order == .oldestFirst ? high : low + 1) }

    /// The last position that was walked before this rest.
    var frontier: Int64 { order == .oldestFirst ? low : high + 1 }

    /// Both walks' rests together; both end where this range ends.
    func joined(_ other: PositionRange) -> PositionRange {
        PositionRange(low: min(low, other.low), high: max(high, other.high), order: order)
    }
}
