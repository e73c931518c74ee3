import Catalog
import EventLog
import LibPQ
import Testing

@testable import Delivery

/// Queues that applications make and send to, over a real database.
@Suite(.serialized)
struct OwnQueueTests {
    private static func running(_ body: @Sendable (QueueNode) async throws -> Void) async throws {
        try await QueueNode.withDatabase { address in
            let node = try QueueNode(address, owner: "one")
            try await node.run { try await body(node) }
        }
    }

    @Test func `messages of a group come in order and block it until they are deleted`() async throws {
        try await Self.running { node in
            let queue = try await node.make("orders.fifo")
            let sent = try await queue.send(["a", "b", "c"])
            try await queue.send(["x"], group: "h")
            let first = try await queue.receive(2)
            #expect(first.map(\.body) == ["a", "b"])
            #expect(first.map(\.messageID) == sent.prefix(2).map(\.messageID))
            #expect(try await queue.receive().map(\.body) == ["x"])
            #expect(try await queue.delete(first.map(\.receiptHandle)) == [.done, .done])
            #expect(try await queue.receive().map(\.body) == ["c"])
        }
    }

    @Test func `a repeated send within the window gets the first one's id, also within a batch and after a delete`()
        async throws
    {
        try await Self.running { node in
            let queue = try await node.make("orders.fifo")
            let first = try await queue.send(["a", "a", "b"])
            #expect(first.map(\.isDuplicate) == [false, true, false])
            #expect(first[0].messageID == first[1].messageID)
            #expect(try await queue.drain().map(\.body) == ["a", "b"])
            let again = try await queue.send(["a"])
            #expect(again[0].isDuplicate && again[0].sequenceNumber == first[0].sequenceNumber)
            #expect(try await queue.drain().isEmpty)
        }
    }

    @Test func `with the group as scope the same id in another group is another message`() async throws {
        try await Self.running { node in
            let queue = try await node.make("orders.fifo") { $0.deduplicatesByGroup = true }
            try await queue.send(["a"], group: "g")
            #expect(try await queue.send(["a"], group: "h")[0].isDuplicate == false)
            #expect(try await queue.send(["a"], group: "g")[0].isDuplicate)
        }
    }

    @Test func `numbers rise for ever, though rows go with their messages`() async throws {
        try await Self.running { node in
            let queue = try await node.make("work", isFIFO: false)
            var numbers: [String] = []
            for round in 0..<3 {
                numbers += try await queue.send(["m\(round)"], group: nil, deduplicated: false).map(\.sequenceNumber)
                #expect(try await queue.drain().count == 1)
            }
            #expect(numbers == numbers.sorted() && Set(numbers).count == 3)
            let left = try await node.log.readers.withConnection { session in
                try session.query(Statement(name: "left", text: "select count(*) from queue_messages")).first?.int64(0)
            }
            #expect(left == 1)
        }
    }

    @Test func `a standard queue gives each message by itself; a late handle still deletes while it is the newest`()
        async throws
    {
        try await Self.running { node in
            let queue = try await node.make("work", isFIFO: false)
            try await queue.send((1...20).map { "m\($0)" }, group: nil, deduplicated: false)
            let first = try await queue.receive(10, seconds: 0)
            #expect(first.count == 1, "with a timeout of 0 one group is given")
            #expect(try await queue.delete([first[0].receiptHandle]) == [.done])
            var seen: Set<String> = [first[0].body]
            while seen.count < 20 {
                let messages = try await queue.receive(10)
                try #require(!messages.isEmpty)
                seen.formUnion(messages.map(\.body))
            }
            #expect(try await queue.receive().isEmpty)
        }
    }

    @Test func `a delayed message comes when its delay is over, not before, and wakes who waits`() async throws {
        try await Self.running { node in
            let queue = try await node.make("work", isFIFO: false)
            _ = try await queue.send([
                NewMessage(body: "late", delay: .milliseconds(900), sender: 1), NewMessage(body: "now", sender: 1),
            ])
            let start = ContinuousClock.now
            #expect(try await queue.receive().map(\.body) == ["now"])
            #expect(try await queue.counts() == QueueCounts(visible: 0, inFlight: 1, delayed: 1))
            #expect(try await queue.receive(wait: .seconds(5)).map(\.body) == ["late"])
            #expect(ContinuousClock.now - start >= .milliseconds(800))
        }
    }

    @Test func `what was received too often lies in the dead-letter queue with its id and goes back by a move`()
        async throws
    {
        try await Self.running { node in
            let dead = try await node.make("dead.fifo")
            let queue = try await node.make("orders.fifo") {
                $0.deadLetterQueue = "dead.fifo"
                $0.maxReceiveCount = 2
            }
            let sent = try await queue.send(["poison", "next"])
            for _ in 0..<2 { #expect(try await queue.receive(1, seconds: 0).map(\.body) == ["poison"]) }
            let next = try await queue.receive(1)
            #expect(next.map(\.body) == ["next"])
            let buried = try await dead.receive(1, seconds: 0, wait: .seconds(5))
            #expect(buried.map(\.messageID) == [sent[0].messageID])
            #expect(buried.map(\.deadLetterSource) == ["orders.fifo"])
            _ = try await queue.delete(next.map(\.receiptHandle))
            let task = try await node.directory.startMove(
                from: dead.queue,
                to: nil,
                perSecond: nil,
                context: try QueueNode.context()
            )
            #expect(task.total >= 1)
            let back = try await queue.receive(1, wait: .seconds(5))
            #expect(back.map(\.body) == ["poison"] && back.map(\.messageID) == [sent[0].messageID])
            #expect(back.map(\.receiveCount) == [1])
            let deadline = ContinuousClock.now + .seconds(10)
            var moves = try await node.directory.moves(of: dead.queue, limit: 1)
            while moves[0].status == .running, ContinuousClock.now < deadline {
                moves = try await node.directory.moves(of: dead.queue, limit: 1)
            }
            #expect(moves.map(\.status) == [.completed] && moves.map(\.moved) == [1])
            #expect(try await dead.receive().isEmpty)
        }
    }

    @Test func `an event that died comes back into its queue over the log`() async throws {
        try await Self.running { node in
            var settings = try await node.directory.find("product-events.fifo").settings
            settings.maxReceiveCount = 1
            settings.visibilityTimeout = .zero
            let built = try await node.directory.find("product-events.fifo")
            try await node.directory.change(built, to: settings, context: try QueueNode.context())
            let queue = try await node.endpoint("product-events.fifo")
            let first = try await queue.receive(1, seconds: 0, wait: .seconds(5))
            let dead = try await node.endpoint("product-events-dead.fifo")
            // The receive after the last one buries it.
            _ = try await queue.receive(1, seconds: 0)
            let buried = try await dead.receive(1, seconds: 0, wait: .seconds(5))
            #expect(buried.map(\.messageID) == first.map(\.messageID))
            #expect(buried.map(\.body) == first.map(\.body))
            #expect(buried.map(\.deduplicationID) == first.map(\.deduplicationID))
            _ = try await node.directory.startMove(
                from: dead.queue,
                to: nil,
                perSecond: nil,
                context: try QueueNode.context()
            )
            var found: [ReceivedMessage] = []
            let deadline = ContinuousClock.now + .seconds(10)
            while ContinuousClock.now < deadline, !found.contains(where: { $0.messageID == buried.first?.messageID }) {
                found += try await queue.receive(10, seconds: 600, wait: .milliseconds(200))
            }
            let back = found.first { $0.messageID == buried.first?.messageID }
            #expect(back?.sequenceNumber.hasPrefix("9999") == true)
            #expect(back?.body == first.first?.body)
        }
    }

    @Test func `a purge empties the queue, clears what is known as sent, and may not come again at once`() async throws
    {
        try await Self.running { node in
            let queue = try await node.make("orders.fifo")
            try await queue.send(["a", "b"])
            let given = try await queue.receive(1)
            try await node.directory.purge(queue.queue, context: try QueueNode.context())
            var sent: [SentMessage] = []
            while sent.isEmpty {
                // The owner learns from its next batch that it must begin anew; that one did nothing.
                do { sent = try await node.endpoint("orders.fifo").send(["a"]) } catch QueueError.notOwner { continue }
            }
            #expect(sent[0].isDuplicate == false)
            let anew = try await node.endpoint("orders.fifo")
            let after = try await anew.receive(wait: .seconds(5))
            #expect(after.map(\.body) == ["a"] && after.map(\.receiveCount) == [1])
            #expect(try await anew.delete(given.map(\.receiptHandle)) == [.done])
            await #expect(throws: QueueDirectoryError.self) {
                try await node.directory.purge(queue.queue, context: try QueueNode.context())
            }
            #expect(try await node.operations() == ["queue.created", "queue.purged"])
        }
    }

    @Test func `a named receive that is repeated gives the same messages while they are in flight`() async throws {
        try await Self.running { node in
            let queue = try await node.make("orders.fifo")
            try await queue.send(["a", "b"])
            let first = try await queue.receive(max: 1, visibilityTimeout: .seconds(30), wait: .zero, attempt: "r1")
            let again = try await queue.receive(max: 1, visibilityTimeout: .seconds(30), wait: .zero, attempt: "r1")
            #expect(first.map(\.receiptHandle) == again.map(\.receiptHandle))
            _ = try await queue.delete(first.map(\.receiptHandle))
            let next = try await queue.receive(max: 1, visibilityTimeout: .seconds(30), wait: .zero, attempt: "r1")
            #expect(next.map(\.body) == ["b"])
        }
    }

    @Test func `another process takes a queue over with all that is in flight`() async throws {
        try await QueueNode.withDatabase { address in
            let first = try QueueNode(address, owner: "one", listening: "http://one:1")
            let handles = try await Self.leave(first)
            let second = try QueueNode(address, owner: "two", listening: "http://two:2")
            try await second.run {
                let queue = try await second.endpoint("orders.fifo")
                #expect(try await queue.receive().isEmpty, "the group waits for what is in flight")
                #expect(try await queue.delete(handles) == [.done, nil])
                #expect(try await queue.receive().map(\.body) == ["b", "c"])
                #expect(try await queue.send(["a"])[0].isDuplicate)
            }
        }
    }

    /// Receives one of three messages and shuts the process down; returns its handle and a forged one.
    private static func leave(_ node: QueueNode) async throws -> [String] {
        nonisolated(unsafe) var handles: [String] = []
        try await node.run {
            let queue = try await node.make("orders.fifo")
            try await queue.send(["a", "b", "c"])
            let given = try await queue.receive(1)
            handles = given.map(\.receiptHandle)
        }
        let forged = String(handles[0].dropLast()) + (handles[0].hasSuffix("0") ? "1" : "0")
        return handles + [forged]
    }

    @Test func `a queue over a selection of the log has its events alone, from where it begins`() async throws {
        try await Self.running { node in
            let price = try #require(Price(decimal: "1.5"))
            for number in Int64(1)...3 {
                let fields = ProductFields(code: "C\(number)", name: "N", model: "", price: price)
                let product = try NewProduct(id: ProductID(number), fields: fields)
                _ = try await node.log.submit(.create(product), context: try QueueNode.context())
                let id = try #require(ProductID(number))
                for _ in 0..<5 { _ = try await node.log.submit(.fetch(id), context: try QueueNode.context()) }
            }
            let queue = try await node.make("changes.fifo") {
                $0.events = EventSelection(types: [.created], products: [1, 3])
            }
            #expect(try await queue.drain().map(\.groupID) == ["1", "3"])
            let id = try #require(ProductID(3))
            _ = try await node.log.submit(.command(.delete(id, .none)), context: try QueueNode.context())
            #expect(try await queue.drain().isEmpty)
        }
    }

    @Test func `a deleted queue gives its name free and leaves nothing behind`() async throws {
        try await Self.running { node in
            let queue = try await node.make("orders.fifo")
            try await queue.send(["a"])
            try await node.directory.delete(queue.queue, context: try QueueNode.context())
            await #expect(throws: QueueDirectoryError.self) { try await node.directory.find("orders.fifo") }
            let anew = try await node.make("orders.fifo")
            #expect(anew.queue.id != queue.queue.id)
            #expect(try await anew.receive().isEmpty)
            let swept = Statement(name: "swept", text: "select count(*) from queues where deleted_at is not null")
            let deadline = ContinuousClock.now + .seconds(25)
            var left: Int64 = 1
            while left > 0, ContinuousClock.now < deadline {
                left = try await node.log.readers.withConnection { try $0.query(swept).first?.int64(0) ?? 0 }
            }
            #expect(left == 0)
        }
    }

    @Test func `the same queue asked for again is the one that is there, another one of its name is refused`()
        async throws
    {
        try await Self.running { node in
            let queue = try await node.make("orders.fifo")
            #expect(try await node.make("orders.fifo").queue.id == queue.queue.id)
            await #expect(throws: QueueDirectoryError.self) {
                _ = try await node.make("orders.fifo") { $0.visibilityTimeout = .seconds(5) }
            }
            #expect(try await node.operations() == ["queue.created"])
        }
    }
}
