import ArgumentParser
import Catalog
import Delivery
import EventLog
import LibPQ

struct DestinationsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destinations",
        abstract: "Where outside the events go: add, list, change, pause, resume and remove.",
        discussion: """
            A server with the role relay hands the events on. Credentials are never kept: it finds them as AWS tools do, in \
            its environment or in ~/.aws.
            """,
        subcommands: [Add.self, List.self, Change.self, Pause.self, Resume.self, Remove.self]
    )

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add a destination; it gets the events to come, or those from a position on.",
            discussion:
                "A queue of AWS SQS by --queue-url, or a stream of NATS JetStream by --nats-server and --stream."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "A name: letters, digits, '.', '_' and '-', at most 80.")
        var name: String

        @Option(help: "The queue's URL; one that ends in .fifo keeps each product's order.")
        var queueURL: String?

        @OptionGroup(title: "NATS JetStream")
        var jetStream: JetStreamOptions

        @Option(help: "The queue's region; by default the one in its URL, then as AWS tools find it.")
        var region: String?

        @Option(help: "Where requests go; by default to the queue URL's host.")
        var endpointURL: String?

        @Option(help: "A profile in ~/.aws of the account that runs the server.")
        var profile: String?

        @Option(
            help: """
                Events of one product in one request, 1 to 10. More is faster for a busy product, but a request of which \
                the queue takes a part can then put a later event first.
                """
        )
        var groupBatch = 1

        @OptionGroup(title: "Filter")
        var filter: EventFilterOptions

        @Option(help: "The first position to deliver; by default only events to come.")
        var from: Int64?

        func validate() throws {
            try EventFilterOptions.validate(name: name)
            guard (queueURL == nil) != jetStream.natsServer.isEmpty else {
                throw ValidationError("name either --queue-url or --nats-server")
            }
            if let fault = sqs?.fault ?? jetStream.configuration?.fault { throw ValidationError(fault) }
            if let from, from < 1 { throw ValidationError("--from is a position: 1 or more") }
        }

        private var sqs: SQSConfiguration? {
            queueURL.map { url in
                SQSConfiguration(
                    queueURL: url,
                    region: region,
                    endpointURL: endpointURL,
                    profile: profile,
                    groupBatch: groupBatch
                )
            }
        }

        /// What the destination is, and its configuration.
        private var target: (kind: DestinationDescription.Kind, configuration: JSONValue) {
            if let configuration = jetStream.configuration { return (.jetstream, configuration.json) }
            return (.sqs, sqs?.json ?? .object([]))
        }

        func run() async throws {
            let cursor = try await options.administer { [self] administration in
                try await administration.add(
                    name: name,
                    kind: target.kind,
                    configuration: target.configuration,
                    types: filter.types,
                    products: filter.product,
                    after: from.map { $0 - 1 }
                )
            }
            guard let cursor else { throw Failure(.wrong, "there is a destination named \(name) already") }
            guard options.json else {
                Terminal.print("\(name) gets the events from position \(cursor + 1) on")
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("destination", name)
            writer.member("from", cursor + 1)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "How far each destination is, and what went wrong.")

        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            let logger = options.makeLogger()
            try await options.withDatabase(logger: logger) { database in
                let session = try EventLogAccess(database: database, logger: logger).ownerSession()
                defer { session.close() }
                for status in try DestinationStatus.read(session) { show(status) }
            }
        }

        private func show(_ status: DestinationStatus) {
            let destination = status.destination
            guard options.json else {
                let state = status.isPaused ? "paused" : status.owner == nil ? "no owner" : "owned"
                let error = status.lastError.map {
                    "  last error at \(status.lastErrorAt.map { "\($0)" } ?? "?"): \($0)"
                }
                Terminal.print(
                    "\(destination.name)  \(destination.kind.rawValue)  \(state)  behind by \(status.behind)  "
                        + "parked \(status.parked)  products held \(status.heldProducts)\(error ?? "")"
                )
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("destination", destination.name)
            writer.member("kind", destination.kind.rawValue)
            writer.member("configuration", destination.configuration)
            writer.member("types", .array(destination.selection.types.map { .string($0.name) }))
            writer.member("products", .array(destination.selection.products.map { .integer($0) }))
            writer.member("cursor", status.cursor)
            writer.member("behind", status.behind)
            writer.member("oldest", status.oldest)
            writer.member("paused", status.isPaused)
            writer.member("owner", status.owner)
            writer.member("parked", status.parked)
            writer.member("heldProducts", status.heldProducts)
            writer.member("lastError", status.lastError)
            writer.member("lastErrorAt", status.lastErrorAt)
            writer.member("failingSince", status.failingSince)
            writer.member("createdAt", status.createdAt)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change which events a destination gets, from within a second on."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The destination's name.")
        var name: String

        @OptionGroup(title: "Filter")
        var filter: EventFilterOptions

        @OptionGroup(title: "No filter")
        var unfiltered: UnfilteredOptions

        func validate() throws {
            try unfiltered.validate(with: filter)
            guard unfiltered.types(filter) != nil || unfiltered.products(filter) != nil else {
                throw ValidationError("say what to change: --type, --all-types, --product or --all-products")
            }
        }

        func run() async throws {
            let (types, products) = (unfiltered.types(filter), unfiltered.products(filter))
            let settings = try await options.administer { [name] in
                try await $0.change(name) { settings in
                    settings.types = types ?? settings.types
                    settings.products = products ?? settings.products
                    return "changed"
                }
            }
            guard settings != nil else { throw Failure(.wrong, "there is no destination \(name)") }
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a destination nothing for now; it loses nothing."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The destination's name.")
        var name: String

        func run() async throws {
            let isDone = try await options.administer { [name] in try await $0.pause(name, true) }
            guard isDone else { throw Failure(.wrong, "there is no destination \(name) that is not paused") }
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Let a paused destination go on where it stopped.")

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The destination's name.")
        var name: String

        func run() async throws {
            let isDone = try await options.administer { [name] in try await $0.pause(name, false) }
            guard isDone else { throw Failure(.wrong, "there is no paused destination \(name)") }
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a destination, with how far it was and what it still had to get."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The destination's name.")
        var name: String

        func run() async throws {
            let isDone = try await options.administer { [name] in try await $0.remove(name) }
            guard isDone else { throw Failure(.wrong, "there is no destination \(name)") }
        }
    }
}

extension DatabaseOptions {
    /// Runs a privileged act on destinations.
    func administer<Value: Sendable>(
        _ body: @escaping @Sendable (DestinationAdministration) async throws -> Value
    ) async throws -> Value {
        let logger = makeLogger()
        return try await withDatabase(logger: logger) { database in
            let access = EventLogAccess(database: database, logger: logger)
            let context = try access.commandContext()
            return try await access.withLog { log in
                try await body(DestinationAdministration(log: log, context: context))
            }
        }
    }
}
