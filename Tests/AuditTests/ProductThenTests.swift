import Audit
import Catalog
import EventLog
import LibPQ
import Testing

@Suite struct ProductThenTests {
    @Test func aStateOfThePastIsTheLastChangeAtOrBeforeTheMoment() async throws {
        try await TestLog.run { test in
            let other = try await test.create("OTHER")
            let desk = try await test.create("COD5")
            try await test.fetch(other.id, as: "ben")
            try await test.patch(desk.id, #"{"price": 17.9}"#)
            try await test.fetch(desk.id, as: "ben")
            try await test.delete(desk.id)
            let queries = try test.queries()
            let changes = try await test.all().filter { $0.productID == desk.id.rawValue && $0.type.isChange }
            let prices = ["19.9", "17.9", nil]
            for (change, price) in zip(changes, prices) {
                let version = try #require(change.version)
                for moment in [
                    .time(change.recordedAt), .position(change.position), .version(version),
                ] as [ProductMoment] {
                    let then = try await queries.state(of: desk.id, at: moment)
                    #expect(then.product?.price.description == price)
                    #expect(then.isDeleted == (price == nil))
                    #expect(then.position == change.position && then.recordedAt == change.recordedAt)
                }
                let before = change.recordedAt.advanced(byMicroseconds: -1)
                if version > 1 {
                    #expect(try await queries.state(of: desk.id, at: .time(before)).position < change.position)
                } else {
                    await #expect(throws: AuditFailure.self) { try await queries.state(of: desk.id, at: .time(before)) }
                }
            }
        }
    }

    @Test func whatIsNotYetIsRefusedAndNotRecorded() async throws {
        try await TestLog.run { test in
            let desk = try await test.create("COD5")
            let queries = try test.queries()
            let end = try #require(try await test.all().last)
            let soon = ProductMoment.time(Timestamp.now().advanced(byMicroseconds: 30_000_000))
            #expect(try await queries.state(of: desk.id, at: soon).product == desk)
            let before = try await test.all().count
            for moment in [
                .time(end.recordedAt.advanced(byMicroseconds: 3_600_000_000)), .position(end.position + 1_000),
            ] as [ProductMoment] {
                let failure = await #expect(throws: AuditFailure.self) {
                    try await queries.state(of: desk.id, at: moment)
                }
                #expect(failure?.code == .invalid && failure?.queryPosition == nil)
            }
            #expect(try await test.all().count == before)
            let failure = await #expect(throws: AuditFailure.self) {
                try await queries.state(of: desk.id, at: .version(9))
            }
            #expect(failure?.code == .notFoundThen && failure?.queryPosition == Int64(before + 1))
        }
    }

    @Test func aDiffNamesWhatLiesBetweenTwoVersions() async throws {
        try await TestLog.run { test in
            let desk = try await test.create("COD5")
            try await test.patch(desk.id, #"{"price": 18, "name": "Table"}"#)
            try await test.patch(desk.id, #"{"name": "Desk"}"#)
            try await test.patch(desk.id, #"{"url": "https://example.com/"}"#)
            try await test.delete(desk.id)
            let queries = try test.queries()
            let positions = try await test.all().filter { $0.productID == desk.id.rawValue }.map(\.position)
            let diff = try await queries.diff(of: desk.id, from: 1, to: 4)
            var writer = JSONWriter()
            writer.productDiff(diff)
            #expect(
                String(decoding: writer.bytes, as: UTF8.self)
                    == #"{"productId":\#(desk.id),"from":1,"to":4,"changes":{"price":{"from":19.9,"to":18},"#
                    + #""url":{"from":null,"to":"https://example.com/"}},"#
                    + #""events":[\#(positions[1]),\#(positions[2]),\#(positions[3])]}"#
            )
            #expect(try await queries.diff(of: desk.id, from: 2, to: 2).events.isEmpty)
            let last = try await queries.diff(of: desk.id, from: 4, to: 5)
            #expect(last.endsDeleted && last.changes.isEmpty && last.events == [positions[4]])
            let failure = await #expect(throws: AuditFailure.self) {
                try await queries.diff(of: desk.id, from: 1, to: 6)
            }
            #expect(failure?.code == .notFoundThen)
            let wrong = await #expect(throws: AuditFailure.self) { try await queries.diff(of: desk.id, from: 3, to: 2) }
            #expect(wrong?.code == .invalid)
        }
    }
}
