package import NIOCore

/// Requests that wait to be sent or answered: a pure state machine.
///
///     waiting ──next──► in flight ──answered──► (gone)
///        └────expired, or drained────┴────────► (gone)
///
/// A request is known by its token, the last part of the subject that its answer comes to. An answer to a request that is
/// gone is nobody's.
package struct Exchanges<Request> {
    package struct Limits: Sendable {
        /// Requests in flight, and bytes of their messages.
        package var inFlight = 512
        package var inFlightBytes = 4 << 20
        package var waiting = 10_000

        package init() {}
    }

    private struct Entry {
        let request: Request
        let bytes: Int
        let deadline: NIODeadline
    }

    private let limits: Exchanges<Void>.Limits
    private var waiting = CircularBuffer<Entry>()
    private var inFlight: [UInt64: Entry] = [:]
    private var inFlightBytes = 0
    private var lastToken: UInt64 = 0

    package init(limits: Exchanges<Void>.Limits) { self.limits = limits }

    package var isEmpty: Bool { waiting.isEmpty && inFlight.isEmpty }
    package var inFlightCount: Int { inFlight.count }

    /// False: too many wait already.
    package mutating func enqueue(_ request: Request, bytes: Int, deadline: NIODeadline) -> Bool {
        guard waiting.count < limits.waiting else { return false }
        waiting.append(Entry(request: request, bytes: bytes, deadline: deadline))
        return true
    }

    /// The next to be sent, in the order they came; one goes whatever its size.
    package mutating func next() -> (token: UInt64, request: Request)? {
        guard let first = waiting.first, inFlight.count < limits.inFlight,
            inFlight.isEmpty || inFlightBytes + first.bytes <= limits.inFlightBytes
        else { return nil }
        waiting.removeFirst()
        lastToken += 1
        inFlight[lastToken] = first
        inFlightBytes += first.bytes
        return (lastToken, first.request)
    }

    package mutating func answered(_ token: UInt64) -> Request? {
        guard let entry = inFlight.removeValue(forKey: token) else { return nil }
        inFlightBytes -= entry.bytes
        return entry.request
    }

    /// Takes those whose time is over, in order. O(n) in all that are here.
    package mutating func expired(now: NIODeadline) -> [Request] {
        let late = inFlight.filter { $0.value.deadline <= now }.keys.sorted().compactMap { answered($0) }
        let lateWaiting = waiting.filter { $0.deadline <= now }.map(\.request)
        if !lateWaiting.isEmpty { waiting.removeAll { $0.deadline <= now } }
        return late + lateWaiting
    }

    /// Takes those in flight, in order.
    package mutating func drainInFlight() -> [Request] { inFlight.keys.sorted().compactMap { answered($0) } }

    /// Takes all, in order.
    package mutating func drain() -> [Request] {
        let all = drainInFlight() + waiting.map(\.request)
        waiting.removeAll()
        return all
    }
}
