import Synchronization

/// Until when this process may send, by a clock that nothing steps and that runs on while a machine sleeps.
///
/// The end is counted from before the database was asked, so it never lies after the one that others wait for.
final class RelayLease: Sendable {
    private let end: Mutex<ContinuousClock.Instant>

    init(until end: ContinuousClock.Instant) { self.end = Mutex(end) }

    func renew(until end: ContinuousClock.Instant) { self.end.withLock { $0 = max($0, end) } }

    var isOver: Bool { end.withLock { $0 <= .now } }
}
