import Catalog
import EventLog
import LibPQ
import Testing

@testable import Delivery

/// Queues' numbers: few, used again, never by two queues at once.
@Suite(.serialized)
struct QueueNumberTests {
    private static let last = "select setval('queues_queue_id_seq', 32767)"

    @Test func `when the numbers are used up they begin anew and pass over those in use`() async throws {
        try await QueueNode.running { node, address in
            let first = try await node.make("a.fifo")
            try QueueNode.sql(address, Self.last)
            let second = try await node.make("b.fifo")
            #expect(second.queue.id > first.queue.id && second.queue.id < 1_000)
        }
    }

    @Test func `who owned a queue of this number before owns nothing of the new one`() async throws {
        try await QueueNode.running { node, address in
            let first = try await node.make("a.fifo")
            try await first.send(["a"])
            let epoch = try QueueNode.sql(address, "select epoch from queues where name = 'a.fifo'")
            try await node.directory.delete(first.queue, context: try QueueNode.context())
            let id = first.queue.id
            var isGone = false
            let deadline = ContinuousClock.now + .seconds(25)
            while !isGone, ContinuousClock.now < deadline {
                try await Task.sleep(for: .milliseconds(50))
                isGone = try QueueNode.sql(address, "select count(*) from queues where queue_id = \(id)") == 0
            }
            try QueueNode.sql(address, Self.last)
            let second = try await node.make("b.fifo")
            #expect(second.queue.id == id)
            #expect(try QueueNode.sql(address, "select epoch from queues where name = 'b.fifo'") > epoch + 10_000)
            #expect(try await second.receive().isEmpty)
            try await second.send(["b"])
            #expect(try await second.receive().map(\.body) == ["b"])
        }
    }
}
