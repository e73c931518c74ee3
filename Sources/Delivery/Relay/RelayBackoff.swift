/// How long is waited after failures in a row, in microseconds.
enum RelayBackoff: Sendable, Hashable {
    /// For receivers that take events by the thousand: short, and for ever.
    case doubling
    /// For somebody's own HTTP endpoint: Standard Webhooks' schedule, over three days.
    case days

    /// Of one group, after its first, second … failure; nil: it is not tried again.
    ///
    /// - Parameter group: spreads groups that failed at one moment; the same group always waits the same time.
    func group(_ failures: Int, of group: Int64) -> Int64? {
        switch self {
        case .doubling: return Self.doubling(100_000, failures, atMost: 60_000_000)
        case .days:
            guard Self.schedule.indices.contains(failures - 1) else { return nil }
            let seconds = Self.schedule[failures - 1]
            return Self.spread(seconds * 1_000_000, UInt64(bitPattern: group) &+ UInt64(failures) &* 0x9e37_79b9)
        }
    }

    /// Of a destination as a whole.
    func destination(_ failures: Int) -> Int64 {
        switch self {
        case .doubling: Self.doubling(100_000, failures, atMost: 10_000_000)
        case .days: Self.doubling(2_500_000, failures, atMost: 300_000_000)
        }
    }

    /// Seconds before the second, third … tenth attempt
    /// (https://github.com/standard-webhooks/standard-webhooks, "Retry schedule").
    private static let schedule: [Int64] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]

    /// `first` is half of what the first failure costs.
    private static func doubling(_ first: Int64, _ times: Int, atMost limit: Int64) -> Int64 {
        min(limit, first << Int64(min(max(times, 0), 20)))
    }

    /// Up to a tenth more, by a seed (SplitMix64's last step).
    private static func spread(_ time: Int64, _ seed: UInt64) -> Int64 {
        var mixed = (seed ^ (seed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return time + Int64((mixed ^ (mixed >> 31)) % UInt64(time / 10))
    }
}
