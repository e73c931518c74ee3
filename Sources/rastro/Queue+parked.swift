import ArgumentParser
import Catalog
import Delivery
import LibPQ

extension Queue {
    struct Parked: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Events that a destination refused for good, the oldest first. Their products' later events wait."
        )

        @OptionGroup var options: DatabaseOptions

        @Option(help: "Only this destination's.")
        var destination: String?

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
                for event in try ParkedEvent.read(session, destination: destination, limit: Int32(limit)) {
                    show(event)
                }
            }
        }

        private func show(_ event: ParkedEvent) {
            guard options.json else {
                let product = event.product.map { "product \($0)" } ?? "no product"
                let replay = event.replay.map { "  replay \($0)" } ?? ""
                Terminal.print(
                    "\(event.parkedAt)  \(event.destination)  #\(event.position)  \(product)\(replay)  \(event.error)"
                )
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("destination", event.destination)
            writer.member("position", event.position)
            writer.member("productId", event.product)
            writer.member("replay", event.replay)
            writer.member("error", event.error)
            writer.member("parkedAt", event.parkedAt)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a parked event again, then its product's later ones."
        )

        @OptionGroup var parked: ParkedOptions

        @Option(help: "Why; it is recorded.")
        var reason: String?

        func run() async throws {
            let (position, destination) = (parked.position, try await parked.resolve())
            let isDone = try await parked.options.administer { [reason] in
                try await $0.retry(position, at: destination, reason: reason)
            }
            guard isDone else { throw Failure(.wrong, "\(position) is not parked at \(destination) any more") }
        }
    }

    struct Skip: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a parked event up for its destination, and send its product's later ones."
        )

        @OptionGroup var parked: ParkedOptions

        @Option(help: "Why; it is recorded.")
        var reason: String

        func validate() throws {
            guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason says why") }
        }

        func run() async throws {
            let (position, destination) = (parked.position, try await parked.resolve())
            let isDone = try await parked.options.administer { [reason] in
                try await $0.skip(position, at: destination, reason: reason)
            }
            guard isDone else { throw Failure(.wrong, "\(position) is not parked at \(destination) any more") }
        }
    }
}

/// Which parked event.
struct ParkedOptions: ParsableArguments {
    @OptionGroup var options: DatabaseOptions

    @Argument(help: "The event's position.")
    var position: Int64

    @Option(help: "The destination; by default the only one at which it is parked.")
    var destination: String?

    /// The destination's name.
    func resolve() async throws -> String {
        let logger = options.makeLogger()
        let names = try await options.withDatabase(logger: logger) { database in
            let session = try EventLogAccess(database: database, logger: logger).ownerSession()
            defer { session.close() }
            let events = try ParkedEvent.read(session, destination: destination, position: position, limit: 1_000)
            return Set(events.map(\.destination)).sorted()
        }
        guard let name = names.first else {
            throw Failure(.wrong, "\(position) is not parked\(destination.map { " at \($0)" } ?? "")")
        }
        guard names.count == 1 else {
            throw Failure(
                .usage,
                "\(position) is parked at \(names.joined(separator: ", ")): name one by --destination"
            )
        }
        return name
    }
}
