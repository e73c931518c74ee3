import Catalog
import Testing

@testable import EventLog

@Suite("The log's clock")
struct LogClockTests {
    @Test("names the last position at or before a time")
    func positions() async throws {
        try await TestLog.run { test in
            #expect(try test.asServing { try LogClock(session: $0).position(at: .now()) } == 0)
            let product = try await test.create("A")
            for _ in 0..<20 { try await test.submit(.fetch(product.id)) }
            let events = try test.events()
            try test.asServing { session in
                let clock = LogClock(session: session)
                for event in events {
                    #expect(try clock.position(at: event.recordedAt) == event.position)
                    let before = event.recordedAt.advanced(byMicroseconds: -1)
                    #expect(try clock.position(at: before) == event.position - 1)
                }
                let last = try #require(events.last)
                #expect(try clock.position(at: last.recordedAt.advanced(byMicroseconds: 1_000_000)) == last.position)
            }
        }
    }

    @Test("grows by a microsecond an event while the machine's clock stands behind it")
    func clockBehind() async throws {
        try await TestLog.run { test in
            let product = try await test.create("A")
            try test.asServing { session in
                _ = try session.rows(
                    """
                    insert into events (position, product_id, recorded_at, user_no, version, type, auth, via, schema,
                        request_id, code)
                    select position + 1, product_id, recorded_at + interval '500 milliseconds', user_no, version, 5, auth,
                        via, schema, gen_random_uuid(), code from events where position = 2
                    """
                )
            }
            let ahead = try #require(try test.events().last?.recordedAt)
            try await test.submit(.fetch(product.id))
            let next = try #require(try test.events().last?.recordedAt)
            #expect(next > ahead)
            if Timestamp.now() < ahead { #expect(next == ahead.advanced(byMicroseconds: 1)) }
            try test.checkLog()
        }
    }
}
