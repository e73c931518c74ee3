import Audit
import Catalog
import EventLog
import LibPQ
import Testing

@Suite struct ViewersAndAccessTests {
    @Test func viewersAreCountedAndTheMostRecentStandsFirst() async throws {
        try await TestLog.run { test in
            let desk = try await test.create("COD5")
            let other = try await test.create("COD6")
            for user in ["ben", "cleo", "ben", "dora"] { try await test.fetch(desk.id, as: user) }
            try await test.patch(desk.id, #"{"price": 17.9}"#)
            try await test.fetch(desk.id, as: "cleo")
            try await test.fetch(other.id, as: "eve")
            let queries = try test.queries()
            let page = try await queries.viewers(of: desk.id)
            #expect(
                page.viewers.map { "\($0.userID) \($0.count) v\($0.lastVersion)" } == [
                    "cleo 2 v2", "dora 1 v1", "ben 2 v1",
                ]
            )
            let fetches = try await test.all().filter { $0.type == .fetched && $0.userID == "cleo" }
            #expect(page.viewers[0].first == fetches[0].recordedAt && page.viewers[0].last == fetches[1].recordedAt)

            let first = try await queries.viewers(of: desk.id, limit: 2)
            try await test.fetch(desk.id, as: "ben")
            let second = try await queries.viewers(of: desk.id, limit: 2, cursor: first.next)
            #expect(first.viewers.map(\.userID) == ["cleo", "dora"] && second.viewers.map(\.userID) == ["ben"])
            #expect(second.viewers[0].count == 2 && second.next == nil)
        }
    }

    @Test func accessAtATimeIsTheKeysThatServedThen() async throws {
        try await TestLog.run { test in
            let administration = KeyAdministration(log: test.log, context: .system(.server))
            let ana = try #require(UserID(any: "ana"))
            try await test.create("COD5", as: "ana")
            let first = try await administration.create(owner: ana, scopes: [.productsRead, .auditRead])
            let expiry = Timestamp.now().advanced(byMicroseconds: 3_600_000_000)
            let second = try await administration.create(owner: ana, scopes: [.admin], plan: "basic", expiresAt: expiry)
            _ = try await administration.rotate(first.keyID)
            let revoked = try await administration.revoke(first.keyID)
            let events = try await test.all()
            func time(_ position: Int64?) throws -> Timestamp {
                try #require(events.first { $0.position == position }?.recordedAt)
            }
            let queries = try test.queries()
            func keys(_ time: Timestamp?) async throws -> [String] {
                try await queries.access(at: time).keys.map(\.keyID)
            }
            #expect(try await keys(time(first.position).advanced(byMicroseconds: -1)) == [])
            #expect(try await keys(time(first.position)) == [first.keyID])
            #expect(try await keys(time(revoked).advanced(byMicroseconds: -1)) == [first.keyID, second.keyID])
            #expect(try await keys(time(revoked)) == [second.keyID])
            #expect(try await keys(nil) == [second.keyID])

            let page = try await queries.access(at: time(second.position), limit: 1)
            let next = try await queries.access(at: time(second.position), limit: 1, cursor: page.next)
            #expect(page.keys.map(\.keyID) == [first.keyID] && next.keys.map(\.keyID) == [second.keyID])
            #expect(next.next == nil && next.keys[0].plan == "basic" && next.keys[0].userID == "ana")
            #expect(next.keys[0].expiresAt == expiry && page.keys[0].scopes == ["audit:read", "products:read"])
        }
    }

    @Test func anAbsentEventIsNoEvent() async throws {
        try await TestLog.run { test in
            try await test.create("COD5")
            let queries = try test.queries()
            let (event, position) = try await queries.event(at: 1)
            #expect(event.position == 1 && position > 1)
            let failure = await #expect(throws: AuditFailure.self) { try await queries.event(at: 1_000_000) }
            #expect(failure?.code == .noSuchEvent)
        }
    }
}
