import NIOCore
import Synchronization

/// Closes connections whose clients take too long to send a body.
///
/// All are looked at together, a few times within the limit: a timer for each would wake its event loop twice a request.
/// So a client gets the limit and at most a quarter more.
final class BodyDeadlines: Sendable {
    struct Ticket {
        fileprivate let number: UInt64
    }

    private struct State {
        var lastNumber: UInt64 = 0
        var sending: [UInt64: (connection: any Channel, since: ContinuousClock.Instant)] = [:]
        var isWatched = false
    }

    private let limit: Duration
    private let state = Mutex(State())

    init(limit: Duration) { self.limit = limit }

    /// The clock runs from here until `end`.
    func begin(_ connection: any Channel) -> Ticket {
        let (number, mustWatch) = state.withLock { state in
            state.lastNumber += 1
            state.sending[state.lastNumber] = (connection, .now)
            defer { state.isWatched = true }
            return (state.lastNumber, !state.isWatched)
        }
        if mustWatch { watch(on: connection.eventLoop) }
        return Ticket(number: number)
    }

    func end(_ ticket: Ticket) {
        state.withLock { $0.sending[ticket.number] = nil }
    }

    private func watch(on loop: any EventLoop) {
        loop.scheduleTask(in: TimeAmount(limit / 4)) { self.look(on: loop) }
    }

    private func look(on loop: any EventLoop) {
        let now = ContinuousClock.now
        let (late, goesOn) = state.withLock { state in
            let late = state.sending.filter { now - $0.value.since >= limit }
            for number in late.keys { state.sending[number] = nil }
            state.isWatched = !state.sending.isEmpty
            return (late.values.map(\.connection), state.isWatched)
        }
        for connection in late { connection.close(mode: .all, promise: nil) }
        if goesOn { watch(on: loop) }
    }
}
