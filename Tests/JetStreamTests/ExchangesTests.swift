import NIOCore
import Testing

@testable import JetStream

@Suite("Exchanges")
struct ExchangesTests {
    private static func make(inFlight: Int = 2, bytes: Int = 100, waiting: Int = 3) -> Box {
        var limits = Exchanges<Void>.Limits()
        (limits.inFlight, limits.inFlightBytes, limits.waiting) = (inFlight, bytes, waiting)
        return Box(Exchanges(limits: limits))
    }

    private let soon = NIODeadline.uptimeNanoseconds(10)
    private let later = NIODeadline.uptimeNanoseconds(20)

    @Test("sends in order, at most so many at once, and the next when one is answered")
    func order() {
        let exchanges = Self.make()
        for name in ["a", "b", "c"] { #expect(exchanges.enqueue(name, bytes: 1, deadline: later)) }
        #expect(!exchanges.enqueue("d", bytes: 1, deadline: later))
        let first = exchanges.next()
        #expect(first?.request == "a")
        #expect(exchanges.next()?.request == "b")
        #expect(exchanges.next() == nil)
        #expect(exchanges.answered(first?.token ?? 0) == "a")
        #expect(exchanges.answered(first?.token ?? 0) == nil)
        #expect(exchanges.next()?.request == "c")
    }

    @Test("bytes in flight are bounded, but one message goes whatever its size")
    func bytes() {
        let exchanges = Self.make(inFlight: 10)
        for (name, bytes) in [("a", 500), ("b", 60), ("c", 60)] {
            #expect(exchanges.enqueue(name, bytes: bytes, deadline: later))
        }
        let first = exchanges.next()
        #expect(first?.request == "a")
        #expect(exchanges.next() == nil)
        #expect(exchanges.answered(first?.token ?? 0) == "a")
        #expect(exchanges.next()?.request == "b")
        #expect(exchanges.next() == nil)
    }

    @Test("what is late goes, in flight or waiting; its answer is nobody's then")
    func time() {
        let exchanges = Self.make(inFlight: 1)
        for (name, deadline) in [("a", soon), ("b", later), ("c", soon)] {
            #expect(exchanges.enqueue(name, bytes: 1, deadline: deadline))
        }
        let first = exchanges.next()
        #expect(exchanges.expired(now: .uptimeNanoseconds(9)).isEmpty)
        #expect(exchanges.expired(now: soon) == ["a", "c"])
        #expect(exchanges.answered(first?.token ?? 0) == nil)
        #expect(exchanges.next()?.request == "b")
        #expect(exchanges.drain() == ["b"])
        #expect(exchanges.isEmpty)
    }

    @Test("draining takes what is in flight first, then what waits")
    func drain() {
        let exchanges = Self.make()
        for name in ["a", "b", "c"] { _ = exchanges.enqueue(name, bytes: 1, deadline: later) }
        _ = exchanges.next()
        #expect(exchanges.drain() == ["a", "b", "c"])
        #expect(exchanges.isEmpty)
        #expect(exchanges.next() == nil)
    }
}

/// Lets expectations call what changes the state.
private final class Box {
    private var exchanges: Exchanges<String>

    init(_ exchanges: Exchanges<String>) { self.exchanges = exchanges }

    var isEmpty: Bool { exchanges.isEmpty }

    func enqueue(_ request: String, bytes: Int, deadline: NIODeadline) -> Bool {
        exchanges.enqueue(request, bytes: bytes, deadline: deadline)
    }

    func next() -> (token: UInt64, request: String)? { exchanges.next() }
    func answered(_ token: UInt64) -> String? { exchanges.answered(token) }
    func expired(now: NIODeadline) -> [String] { exchanges.expired(now: now) }
    func drain() -> [String] { exchanges.drain() }
}
