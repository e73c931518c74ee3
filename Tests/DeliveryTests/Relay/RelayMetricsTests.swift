import Catalog
import EventLog
import LibPQ
import Monitoring
import Testing

@testable import Delivery

/// What metrics tell of relays over a real log.
@Suite(.serialized)
struct RelayMetricsTests {
    private static func levels(_ test: TestRelay) throws -> DeliveryLevels.Destination {
        let levels = try test.withSession { try DeliveryLevels.read($0) }
        return try #require(levels.destinations.first { $0.name == "aws" })
    }

    private static func sent(_ test: TestRelay, _ errorType: String = "") -> Int64 {
        test.log.metrics.counter(.sentMessages, ["aws_sqs", "aws", "send", errorType]).value
    }

    @Test func `lag and age fall to 0 when all is relayed, and every message and byte is counted once`() async throws {
        let queue = try FaultyQueue()
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.add("aws", queue.url)
            try await test.fill(products: 5, fetches: 3)
            let before = try Self.levels(test)
            #expect(before.lag == Int64(try test.events().count))
            #expect(try #require(before.age) > 0)
            #expect(!before.hasOwner && !before.isPaused && !before.isFailing)
            try await TestRelay.running([test.relays()]) {
                try await test.wait("lag falls to 0") { try Self.levels(test).lag == 0 }
                let after = try Self.levels(test)
                #expect(after.age == nil && after.hasOwner)
                #expect(after.parked == 0 && after.held == 0 && after.parkedAge == nil)
            }
            #expect(Self.sent(test) == Int64(queue.accepted.count))
            let bytes = queue.accepted.reduce(0) { $0 + $1.body.utf8.count }
            #expect(test.log.metrics.counter(.destinationBytes, ["aws"]).value == Int64(bytes))
            let times = test.log.metrics.histogram(.operationDuration, ["aws_sqs", "aws", "send"]).snapshot
            #expect(times.counts.reduce(0, +) == Int64(queue.requests) && times.seconds > 0)
            #expect(["retry", "refused", "unavailable"].allSatisfy { Self.sent(test, $0) == 0 })
            #expect(test.log.metrics.counter(.logEvents).value == Int64(try test.events().count))
        }
    }

    @Test func `what is parked, held, tried again and unavailable is told apart`() async throws {
        let queue = try FaultyQueue(FaultyQueue.Faults(request: { _ in .status(503, type: "ServiceUnavailable") }))
        defer { queue.stop() }
        try await TestRelay.run { test in
            try await test.fill(products: 3, fetches: 2)
            let bad = try #require(try test.events().first { $0.group == "2" }).position
            let slow = try #require(try test.events().first { $0.group == "3" }).position
            try await test.add("aws", queue.url)
            try await TestRelay.running([test.relays()]) {
                try await test.wait("it fails") { try Self.levels(test).isFailing }
                #expect(Self.sent(test, "unavailable") > 0 && Self.sent(test) == 0)
                queue.set(
                    FaultyQueue.Faults(entry: { id, attempt in
                        if id == "\(bad)" { return .failed(code: "InvalidMessageContents", isSenders: true) }
                        return id == "\(slow)" && attempt < 3
                            ? .failed(code: "InternalError", isSenders: false) : nil
                    })
                )
                try await test.wait("the others are through") {
                    let level = try Self.levels(test)
                    return level.lag == 0 && level.parked == 1 && level.held == 1
                }
                let level = try Self.levels(test)
                // The parked event makes the age no higher: nothing else waits.
                #expect(level.age == nil)
                #expect(try #require(level.parkedAge) >= 0)
                #expect(Self.sent(test, "refused") == 1)
                #expect(Self.sent(test, "retry") > 0)
                #expect(try await test.administration().pause("aws", true))
                try await test.wait("it is let go") { try !Self.levels(test).hasOwner }
                #expect(try Self.levels(test).isPaused)
            }
        }
    }

    @Test func `an event that is behind counts as the oldest though the cursor has passed it`() async throws {
        try await TestRelay.run { test in
            try await test.fill(products: 2, fetches: 2)
            try await test.add("aws", "http://127.0.0.1:1/1/q.fifo")
            let events = try test.events()
            let behind = try #require(events.first { $0.group == "2" }).position
            let end = try #require(events.last).position
            try test.withSession { session in
                try session.execute(
                    """
                    update destinations set cursor = \(end);
                    insert into relay_holds (destination_id, replay_no, grp, from_position, is_parked)
                    select destination_id, 0, 2, \(behind), false from destinations
                    """
                )
            }
            #expect(try #require(try Self.levels(test).age) > 0)
            try test.withSession { try $0.execute("update relay_holds set is_parked = true") }
            #expect(try Self.levels(test).age == nil)
        }
    }
}
