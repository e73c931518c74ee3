import ArgumentParser
import Catalog
import Delivery
import LibPQ

struct Queue: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Look at the queues, and at what destinations have refused.",
        subcommands: [Depth.self, Dead.self, Redrive.self, Parked.self, Retry.self, Skip.self]
    )

    struct Depth: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "How far each queue is, and who owns it.")

        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            let logger = options.makeLogger()
            try await options.withDatabase(logger: logger) { database in
                let session = try EventLogAccess(database: database, logger: logger).ownerSession()
                defer { session.close() }
                for queue in try QueueDepth.read(session) { show(queue) }
            }
        }

        private func show(_ queue: QueueDepth) {
            guard options.json else {
                Terminal.print(
                    "\(queue.name)  behind by at most \(queue.behind)  handed out \(queue.handedOut)  "
                        + "dead \(queue.dead)  \(queue.owner == nil ? "no owner" : "owned")"
                )
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("queue", queue.name)
            writer.member("behind", queue.behind)
            writer.member("handedOut", queue.handedOut)
            writer.member("dead", queue.dead)
            writer.member("owner", queue.owner)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }

    struct Dead: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Messages that were received too often and set aside, the newest first, each with its last error."
        )

        @OptionGroup var options: DatabaseOptions

        @Option(help: "At most so many, 1 to 1000.")
        var limit = 100

        func validate() throws {
            guard (1...1_000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 1000") }
        }

        func run() async throws {
            let logger = options.makeLogger()
            try await options.withDatabase(logger: logger) { database in
                let session = try EventLogAccess(database: database, logger: logger).ownerSession()
                defer { session.close() }
                for letter in try DeadLetter.read(session, limit: Int32(limit)) { show(letter) }
            }
        }

        private func show(_ letter: DeadLetter) {
            guard options.json else {
                Terminal.print(
                    "\(letter.diedAt)  \(letter.queue)  \(letter.position.map { "#\($0)  product \(letter.group)" } ?? "a message")  "
                        + "received \(letter.receiveCount) times, lies in \(letter.deadLetterQueue)"
                        + (letter.lastError.map { "  last error: \($0)" } ?? "")
                )
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("queue", letter.queue)
            writer.member("position", letter.position)
            writer.member("productId", letter.position == nil || letter.group == 0 ? nil : letter.group)
            writer.member("receiveCount", letter.receiveCount)
            writer.member("diedAt", letter.diedAt)
            writer.member("deadLetterQueue", letter.deadLetterQueue)
            writer.member("lastError", letter.lastError)
            writer.member("lastErrorAt", letter.lastErrorAt)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }
}
