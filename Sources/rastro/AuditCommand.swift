import ArgumentParser
import Audit
import Catalog
import EventLog
import LibPQ

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Ask the log what happened. Every question is itself an event.",
        subcommands: [OfProduct.self, OfUser.self, Access.self, OneEvent.self]
    )

    struct OfProduct: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "product",
            abstract: "What happened to a product, who looked at it, what it was."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The product's id.")
        var id: Int64

        @Option(help: "Its state at this time, RFC 3339.")
        var at: String?

        @Flag(help: "Who looked at it, the most recent first.")
        var viewers = false

        @Option(parsing: .upToNextOption, help: "What changed after one version, up to and with another.")
        var diff: [Int64] = []

        @Flag(help: "Go on with what happens from now on, until interrupted.")
        var follow = false

        func validate() throws {
            guard ProductID(id) != nil else { throw ValidationError("a product id is a positive integer") }
            guard diff.isEmpty || diff.count == 2 else { throw ValidationError("--diff wants two versions") }
            let questions = (at == nil ? 0 : 1) + (viewers ? 1 : 0) + (diff.isEmpty ? 0 : 1) + (follow ? 1 : 0)
            guard questions <= 1 else { throw ValidationError("name one of --at, --viewers, --diff and --follow") }
        }

        func run() async throws {
            guard let product = ProductID(id) else { return }
            let moment = try at.map { text in
                guard let time = Timestamp(rfc3339: text) else {
                    throw Failure(.usage, "'\(text)' is no RFC 3339 time, such as 2026-11-24T14:03:00Z")
                }
                return time
            }
            try await options.ask { queries, printer in
                if let moment {
                    let then = try await queries.state(of: product, at: .time(moment))
                    printer.json { $0.productThen(then) }
                } else if viewers {
                    try await showViewers(of: product, queries, printer)
                } else if diff.count == 2 {
                    let found = try await queries.diff(of: product, from: diff[0], to: diff[1])
                    printer.json { $0.productDiff(found) }
                } else {
                    var filter = EventFilter()
                    filter.product = product
                    try await printer.events(matching: filter, queries, follow: follow)
                }
            }
        }

        private func showViewers(of product: ProductID, _ queries: AuditQueries, _ printer: AuditPrinter) async throws {
            var cursor: EventCursor?
            repeat {
                let page = try await queries.viewers(of: product, cursor: cursor)
                for viewer in page.viewers {
                    printer.line(
                        { $0.viewer(viewer) },
                        text: "\(EventText.printable(viewer.userID))  \(viewer.count) times  "
                            + "first \(viewer.first)  last \(viewer.last)  saw version \(viewer.lastVersion)"
                    )
                }
                cursor = page.next
            } while cursor != nil
        }
    }

    struct OfUser: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "user",
            abstract: "What a user did, audit queries included."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The user's id.")
        var user: String

        func run() async throws {
            guard let userID = UserID(any: user) else { throw Failure(.usage, "'\(user)' is no user id") }
            try await options.ask { queries, printer in
                var filter = EventFilter()
                filter.users = [userID]
                filter.includesQueries = true
                try await printer.events(matching: filter, queries, follow: false)
            }
        }
    }

    struct Access: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Who had access: the keys of a moment.")

        @OptionGroup var options: DatabaseOptions

        @Option(help: "The moment, RFC 3339; by default now.")
        var at: String?

        func run() async throws {
            let moment = try at.map { text in
                guard let time = Timestamp(rfc3339: text) else {
                    throw Failure(.usage, "'\(text)' is no RFC 3339 time, such as 2026-11-24T14:03:00Z")
                }
                return time
            }
            try await options.ask { queries, printer in
                var cursor: AccessCursor?
                repeat {
                    let page = try await queries.access(at: moment, cursor: cursor)
                    for key in page.keys {
                        printer.line(
                            { $0.keyThen(key) },
                            text:
                                "\(key.keyID)  \(EventText.printable(key.userID))  \(key.scopes.joined(separator: ","))"
                        )
                    }
                    cursor = page.next
                } while cursor != nil
            }
        }
    }

    struct OneEvent: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "event",
            abstract: "One event, with what checks it offline."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "Its position.")
        var position: Int64

        func run() async throws {
            try await options.ask { queries, printer in
                let (event, _) = try await queries.event(at: position)
                printer.json { $0.eventWithLeaf(event, printer.identity) }
            }
        }
    }
}

/// Prints what an audit command found: JSON, or a line of text for people.
struct AuditPrinter: Sendable {
    let identity: LogIdentity
    fileprivate let log: EventLog
    fileprivate let isJSON: Bool
    /// How many events are read at a time.
    private static let pageSize = 1_000

    func json(_ body: (inout JSONWriter) -> Void) {
        var writer = JSONWriter(reserving: 512)
        body(&writer)
        Terminal.print(writer.bytes)
    }

    func line(_ body: (inout JSONWriter) -> Void, text: @autoclosure () -> String) {
        if isJSON { json(body) } else { Terminal.print(text()) }
    }

    /// Prints all events that match, oldest first; with `follow`, then those of the product to come.
    func events(matching filter: EventFilter, _ queries: AuditQueries, follow: Bool) async throws {
        var cursor: EventCursor?
        var asked: Int64?
        repeat {
            let page = try await queries.events(filter, limit: Self.pageSize, cursor: cursor)
            asked = asked ?? page.queryPosition
            for event in page.events { line({ $0.event(event) }, text: EventText.line(event)) }
            cursor = page.next
        } while cursor != nil
        if follow, let asked, let product = filter.product { try await self.follow(product, after: asked) }
    }

    /// The question was recorded once; what comes is read as every reader of the log does.
    private func follow(_ product: ProductID, after position: Int64) async throws {
        var seen = position
        while !Task.isCancelled {
            let after = seen
            let events = try await log.readers.withConnection { session in
                try RecordedEvent.read(session, after: after, limit: Int32(Self.pageSize))
            }
            for event in events where event.productID == product.rawValue && event.type != .auditQueried {
                line({ $0.event(event) }, text: EventText.line(event))
            }
            seen = events.last?.position ?? seen
            if events.isEmpty { try await Task.sleep(for: .milliseconds(250)) }
        }
    }
}

extension DatabaseOptions {
    /// Runs a question with a log to ask, as the database role.
    fileprivate func ask(
        _ question: @escaping @Sendable (AuditQueries, AuditPrinter) async throws -> Void
    ) async throws {
        let logger = makeLogger()
        let isJSON = json
        try await withDatabase(logger: logger) { database in
            let access = EventLogAccess(database: database, logger: logger)
            let context = try access.commandContext()
            try await access.withLog { log in
                let queries = AuditQueries(log: log, context: context)
                do {
                    try await question(queries, AuditPrinter(identity: log.identity, log: log, isJSON: isJSON))
                } catch let failure as AuditFailure {
                    throw Failure(failure.code == .invalid ? .usage : .wrong, failure.description)
                }
            }
        }
    }
}
