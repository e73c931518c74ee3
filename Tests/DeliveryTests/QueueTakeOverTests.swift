import Catalog
import EmbeddedPostgres
import EventLog
import LibPQ
import Testing

@testable import Delivery

/// Owners that freeze in the middle of a batch.
@Suite(.serialized)
struct QueueTakeOverTests {
    @Test func `a batch of which only a part arrived does not keep a queue from its next owner`() async throws {
        try await QueueNode.withDatabase { address in
            let frozen = try Session.open(QueueNode.connection(address.servingConnectionString))
            defer { frozen.close() }
            let parameters = Parameters().int16(1).text("frozen").int32(1).text(nil)
            let epoch = try frozen.query(Statements.takeQueue, parameters)[0].int64(0)
            try frozen.begin()
            _ = try frozen.query(Statements.fenceQueue, Parameters().int16(1).int64(epoch))
            let node = try QueueNode(address, owner: "two")
            try await node.run {
                let queue = try await node.endpoint("product-events.fifo")
                _ = try await queue.receive()
            }
            #expect(throws: PostgresError.self) { try frozen.commit() }
        }
    }

    @Test func `an owner that renews its lease is left alone`() async throws {
        try await QueueNode.withDatabase { address in
            let owner = try Session.open(QueueNode.connection(address.servingConnectionString))
            defer { owner.close() }
            let parameters = Parameters().int16(1).text("owner").int32(60_000).text(nil)
            let epoch = try owner.query(Statements.takeQueue, parameters)[0].int64(0)
            try owner.begin()
            _ = try owner.query(Statements.fenceQueue, Parameters().int16(1).int64(epoch))
            let node = try QueueNode(address, owner: "two")
            try await node.run {
                await #expect(throws: QueueNode.Elsewhere.self) { _ = try await node.endpoint("product-events.fifo") }
            }
            try owner.commit()
        }
    }
}
