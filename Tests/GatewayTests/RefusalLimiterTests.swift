import Catalog
import EventLog
import Testing

@testable import Gateway

struct RefusalLimiterTests {
    private let start = ContinuousClock.now
    private let ana: Caller
    private let ben: Caller

    init() throws {
        ana = try Self.caller("ana", key: 1)
        ben = try Self.caller("ben", key: 2)
    }

    private static func caller(_ name: String, key: Int32) throws -> Caller {
        let user = try #require(UserID(external: name))
        return Caller(userID: user, client: ClientReference(number: key, keyID: "key\(key)"), auth: .key)
    }

    @Test func `exactly the limit is recorded and the rest is turned away`() {
        var limiter = RefusalLimiter(limit: 600)
        let waits = (0..<700).map { _ in limiter.refuse(ana, at: start) }
        #expect(waits.prefix(600).allSatisfy { $0 == nil })
        #expect(waits.dropFirst(600).allSatisfy { $0 == .seconds(60) })
    }

    @Test func `the wait shrinks and ends with the window`() {
        var limiter = RefusalLimiter(limit: 1)
        _ = limiter.refuse(ana, at: start)
        #expect(limiter.turnAway(ana, at: start + .seconds(45)) == .seconds(15))
        #expect(limiter.turnAway(ana, at: start + .seconds(60)) == nil)
    }

    @Test func `others are not touched`() {
        var limiter = RefusalLimiter(limit: 1)
        _ = limiter.refuse(ana, at: start)
        #expect(limiter.turnAway(ana, at: start) != nil)
        #expect(limiter.turnAway(ben, at: start) == nil)
    }

    @Test func `a key is held to the limit whatever end users it names`() throws {
        var limiter = RefusalLimiter(limit: 10)
        let callers = try (0..<20).map { try Self.caller("user\($0)", key: 7) }
        let waits = callers.map { limiter.refuse($0, at: start) }
        #expect(waits.filter { $0 == nil }.count == 10)
    }

    @Test func `a user is held to the limit whatever keys he uses`() throws {
        var limiter = RefusalLimiter(limit: 10)
        let callers = try (0..<20).map { try Self.caller("ana", key: Int32($0)) }
        #expect(callers.map { limiter.refuse($0, at: start) }.filter { $0 == nil }.count == 10)
    }

    @Test func `each window is reported once, with the number turned away`() {
        var limiter = RefusalLimiter(limit: 2)
        for _ in 0..<2 { _ = limiter.refuse(ana, at: start) }
        for _ in 0..<5 { _ = limiter.turnAway(ana, at: start + .seconds(1)) }
        #expect(limiter.takeReports(at: start + .seconds(59)).isEmpty)
        let reports = limiter.takeReports(at: start + .seconds(60))
        #expect(reports.map(\.count) == [5])
        #expect(reports.first?.caller == ana)
        #expect(limiter.takeReports(at: start + .seconds(120)).isEmpty)
        #expect(limiter.isEmpty)
    }

    @Test func `a window in which nobody was turned away is not reported`() {
        var limiter = RefusalLimiter(limit: 2)
        _ = limiter.refuse(ana, at: start)
        #expect(limiter.takeReports(at: start + .seconds(61)).isEmpty)
        #expect(limiter.isEmpty)
    }

    @Test func `no more subjects are watched than the limit allows`() throws {
        var limiter = RefusalLimiter(limit: 1, subjectLimit: 10)
        let callers = try (0..<100).map { try Self.caller("user\($0)", key: Int32($0)) }
        for caller in callers { limiter.count(caller, at: start) }
        let watched = callers.filter { limiter.turnAway($0, at: start) != nil }
        #expect(watched.count == 5)
    }
}
