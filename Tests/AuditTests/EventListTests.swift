import Audit
import Catalog
import EventLog
import LibPQ
import Testing

@Suite struct EventListTests {
    @Test func aProductsTrailIsWhatHappenedToItInOrderWithoutTheQueries() async throws {
        try await TestLog.run { test in
            let desk = try await test.create("COD5")
            let other = try await test.create("COD6")
            try await test.fetch(desk.id, as: "ben")
            try await test.fetch(other.id, as: "ben")
            try await test.patch(desk.id, #"{"price": 17.9}"#)
            try await test.delete(desk.id, as: "ben")
            try await test.fetch(desk.id, as: "cleo")
            let queries = try test.queries()
            let expected = ["CREATED v1 ana", "FETCHED v1 ben", "UPDATED v2 ana", "DELETED v3 ben", "NOT_FOUND cleo"]
            let page = try await queries.productEvents(desk.id)
            #expect(page.events.map(\.summary) == expected)
            #expect(page.next == nil)
            #expect(page.events[2].dataText == #"{"price":{"from":19.9,"to":17.9}}"#)

            var newest = EventFilter()
            newest.order = .newestFirst
            #expect(try await queries.productEvents(desk.id, newest).events.map(\.summary) == expected.reversed())

            var withQueries = EventFilter()
            withQueries.includesQueries = true
            let all = try await queries.productEvents(desk.id, withQueries).events
            #expect(all.map(\.summary) == expected + Array(repeating: "AUDIT_QUERIED auditor", count: 3))
        }
    }

    @Test func everyQueryIsAnEventThatNamesUsersByNumberOnly() async throws {
        try await TestLog.run { test in
            let desk = try await test.create("COD5")
            let queries = try test.queries()
            let number = try #require(try await test.all().first { $0.userID == "ana" }?.userNumber)
            var filter = EventFilter()
            filter.product = desk.id
            filter.users = [try #require(UserID(any: "ana")), try #require(UserID(any: "nobody"))]
            filter.types = [.created, .fetched]
            let page = try await queries.events(filter, limit: 7)
            let query = try #require(try await test.all().last)
            #expect(query.position == page.queryPosition)
            #expect(query.type == .auditQueried && query.productID == desk.id.rawValue && query.userID == "auditor")
            #expect(
                query.dataText == #"{"query":"events","product":\#(desk.id),"users":[\#(number)],"#
                    + #""unknownUsers":1,"types":["CREATED","FETCHED"],"limit":7}"#
            )
            _ = try await queries.userEvents(try #require(UserID(any: "nobody")))
            #expect(
                try await test.all().last?.dataText
                    == #"{"query":"user-events","unknownUsers":1,"include":"queries","limit":100}"#
            )
        }
    }

    @Test func aQueryIsRecordedAsItWasAskedThoughTheLogKnowsNoneOfItsNames() async throws {
        try await TestLog.run { test in
            try await test.create("COD5")
            let queries = try test.queries()
            _ = try await queries.events(EventFilter())
            let unfiltered = try await test.all().last?.dataText
            var filter = EventFilter()
            filter.users = try ["ghost", "ghost", "spectre"].map { try #require(UserID(any: $0)) }
            filter.clients = ["nokey", "alsonone"]
            #expect(try await queries.events(filter).events.isEmpty)
            let asked = try await test.all().last?.dataText
            #expect(asked == #"{"query":"events","unknownUsers":2,"clients":["nokey","alsonone"],"limit":100}"#)
            #expect(asked != unfiltered)
        }
    }

    @Test func aUsersTrailShowsHisQueriesAlsoTheVeryFirst() async throws {
        try await TestLog.run { test in
            let auditor = try #require(UserID(any: "auditor"))
            let page = try await test.queries().userEvents(auditor)
            #expect(
                page.events.map(\.type) == [.userRegistered, .auditQueried]
                    || page.events.map(\.type) == [.auditQueried]
            )
            #expect(page.events.last?.position == page.queryPosition)
        }
    }

    @Test func aWalkSeesTheLogOfItsFirstPage() async throws {
        try await TestLog.run { test in
            let desk = try await test.create("COD5")
            for _ in 0..<9 { try await test.fetch(desk.id, as: "ben") }
            let queries = try test.queries()
            var positions: [Int64] = []
            var cursor: EventCursor?
            var pages = 0
            repeat {
                let page = try await queries.productEvents(desk.id, limit: 4, cursor: cursor)
                positions += page.events.map(\.position)
                cursor = page.next
                pages += 1
                try await test.fetch(desk.id, as: "ben")
            } while cursor != nil && pages < 100
            let seen = try await test.all().filter { $0.productID == desk.id.rawValue && $0.type != .auditQueried }
            #expect(positions == seen.prefix(10).map(\.position))
        }
    }

    @Test func aTimeMeansExactlyOnePosition() async throws {
        try await TestLog.run { test in
            for number in 0..<20 { try await test.create("C\(number)") }
            let queries = try test.queries()
            // The first query registers its user; the later ones are left out of lists.
            _ = try await queries.event(at: 1)
            let all = try await test.all().filter { $0.type != .auditQueried }
            for index in [0, 3, all.count - 1] {
                var filter = EventFilter()
                filter.from = .time(all[index].recordedAt)
                let from = try await queries.events(filter).events.map(\.position)
                #expect(from == all[index...].map(\.position))
                filter.from = .time(all[index].recordedAt.advanced(byMicroseconds: 1))
                let after = try await queries.events(filter).events.map(\.position)
                #expect(after == all[(index + 1)...].map(\.position))
                filter.from = nil
                filter.to = .time(all[index].recordedAt)
                #expect(try await queries.events(filter).events.map(\.position) == all[..<index].map(\.position))
                filter.from = .position(all[index].position)
                filter.to = .position(all[index].position + 1)
                #expect(try await queries.events(filter).events.map(\.position) == [all[index].position])
            }
        }
    }

    @Test func aRequestIsFoundByItsLabelAndByTheIdThatWeGave() async throws {
        try await TestLog.run { test in
            let desk = try await test.create("COD5")
            let ours = UUIDv7()
            try await test.fetch(desk.id, as: "ana", request: .generated(ours))
            try await test.fetch(desk.id, as: "ben", request: .label("order-7"))
            // Another client sends our id as its own label: both are shown.
            try await test.fetch(desk.id, as: "cleo", request: .label(ours.description))
            let queries = try test.queries()
            var filter = EventFilter()
            filter.request = "order-7"
            #expect(try await queries.events(filter).events.filter { $0.type == .fetched }.map(\.userID) == ["ben"])
            filter.request = ours.description
            #expect(
                try await queries.events(filter).events.filter { $0.type == .fetched }.map(\.userID) == ["ana", "cleo"]
            )
            filter.order = .newestFirst
            #expect(
                try await queries.events(filter).events.filter { $0.type == .fetched }.map(\.userID) == ["cleo", "ana"]
            )
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64]) func anyFilterInAnyOrderShowsWhatAModelShows(seed: UInt64) async throws {
        try await TestLog.run { test in
            var generator = SeededGenerator(seed: seed)
            try await RandomHistory.write(test, using: &generator)
            // A small budget makes pages end early, which must lose and repeat nothing.
            let queries = try test.queries(examinedLimit: 37)
            let all = try await test.all()
            for round in 0..<40 {
                let filter = RandomHistory.filter(all, using: &generator)
                let limit = generator.number(1...25)
                var positions: [Int64] = []
                var cursor: EventCursor?
                var head: Int64?
                repeat {
                    let page = try await queries.events(filter, limit: limit, cursor: cursor)
                    head = head ?? page.queryPosition
                    #expect(page.events.count <= limit)
                    positions += page.events.map(\.position)
                    cursor = page.next
                } while cursor != nil && positions.count <= all.count + 1_000
                let end = try #require(head)
                let log = try await test.all().filter { $0.position <= end }
                let expected = RandomHistory.model(log, filter).map(\.position)
                #expect(positions == expected, "seed \(seed), round \(round), limit \(limit), \(filter)")
            }
        }
    }
}
