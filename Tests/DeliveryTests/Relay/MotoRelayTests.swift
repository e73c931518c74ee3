import Catalog
import EventLog
import Testing

@testable import Delivery

/// Relays to moto's SQS, which checks requests as the real one does.
@Suite(.serialized, .enabled(if: MotoServer.executable != nil, Comment(rawValue: MotoServer.missing)))
struct MotoRelayTests {
    private static func ids(_ messages: [JSONValue], _ subject: String) -> [String] {
        messages.filter { $0["subject"] == .string(subject) }.compactMap {
            guard case .string(let id)? = $0["id"] else { return nil }
            return id
        }
    }

    @Test func `a FIFO queue and a standard queue get what they asked for, each at its own pace`() async throws {
        try await MotoServer.run { moto in try await Self.twoQueues(moto) }
    }

    private static func twoQueues(_ moto: MotoServer) async throws {
        let (fifo, standard) = (
            try await moto.createQueue("products.fifo"), try await moto.createQueue("changes")
        )
        try await TestRelay.run { test in
            try await test.add("fifo", fifo)
            try await test.add("standard", standard, types: [.created])
            try await TestRelay.running([test.relays()]) {
                try await test.fill(products: 5, fetches: 12)
                try await test.caughtUp("fifo")
                try await test.caughtUp("standard")
            }
            #expect(try test.parked().isEmpty)
            let messages = try await moto.drain(fifo)
            let events = try test.events()
            #expect(messages.count == events.count)
            for product in 1...5 {
                let own = events.filter { $0.group == "\(product)" }.map { "\($0.position)" }
                #expect(Self.ids(messages, "product/\(product)") == own)
            }
            let created = try await moto.drain(standard)
            #expect(created.count == 5)
            #expect(created.allSatisfy { $0["type"] == .string("rastro.product.created") })
        }
    }

    @Test func `a queue that is not there holds everything back until it is made`() async throws {
        try await MotoServer.run { moto in try await Self.laterQueue(moto) }
    }

    private static func laterQueue(_ moto: MotoServer) async throws {
        let url = "\(moto.url)/123456789012/later.fifo"
        try await TestRelay.run { test in
            try await test.add("later", url)
            try await TestRelay.running([test.relays()]) {
                try await test.fill(products: 2, fetches: 2)
                try await test.wait("the error is told") { try test.status("later").lastError != nil }
                #expect(try test.parked().isEmpty)
                _ = try await moto.createQueue("later.fifo")
                try await test.caughtUp("later")
            }
            #expect(try await moto.drain(url).count == (try test.events().count))
        }
    }
}
