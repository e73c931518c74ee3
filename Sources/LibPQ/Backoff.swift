/// When to try again to connect: delays double from `first` to `longest`, each shortened by up to half at random, so
/// that many clients do not come back at the same moment.
struct Backoff: Sendable {
    static let first = Duration.milliseconds(50)
    static let longest = Duration.seconds(5)

    /// Failures in a row.
    private(set) var failures = 0
    private(set) var nextAttempt: ContinuousClock.Instant?

    /// The time from `now` until an attempt may be made; zero if one may be made.
    func delay(at now: ContinuousClock.Instant) -> Duration {
        nextAttempt.map { max(.zero, $0 - now) } ?? .zero
    }

    /// Notes a failure; `random` lies in 0..<1. Returns the delay before the next attempt.
    @discardableResult
    mutating func failed(at now: ContinuousClock.Instant, random: Double) -> Duration {
        let full = min(Self.longest, Self.first * (1 << min(failures, 20)))
        failures += 1
        let delay = full * (1 - random / 2)
        nextAttempt = now + delay
        return delay
    }

    mutating func succeeded() {
        failures = 0
        nextAttempt = nil
    }
}
