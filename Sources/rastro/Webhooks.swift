import ArgumentParser
import Catalog
import Delivery
import EventLog
import LibPQ

struct Webhooks: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "HTTP endpoints that get events: add, list, change, rotate the secret, remove.",
        discussion: """
            Each event is a POST, signed as Standard Webhooks says; a product's events come in order. Pause and resume one \
            with `rastro destinations`; events that it refuses for days are parked (`rastro queue parked`).
            """,
        subcommands: [Add.self, List.self, Change.self, Rotate.self, Remove.self]
    )

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Add an endpoint; it gets the events to come, or those from a position on. Its secret is shown once."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "A name: letters, digits, '.', '_' and '-', at most 80.")
        var name: String

        @Option(help: "Where events are posted to; http and addresses that are not public only as the server allows.")
        var url: String

        @Option(help: "How many seconds an answer may take, 1 to 30.")
        var timeout = 15

        @Option(help: "Requests under way at once, 1 to 64, each with another product's event.")
        var concurrency = 8

        @OptionGroup(title: "Filter")
        var filter: EventFilterOptions

        @Option(help: "The first position to deliver; by default only events to come.")
        var from: Int64?

        private var target: WebhookConfiguration {
            var configuration = WebhookConfiguration(url: url)
            configuration.timeoutSeconds = timeout
            configuration.concurrency = concurrency
            return configuration
        }

        func validate() throws {
            try EventFilterOptions.validate(name: name)
            if let fault = target.fault { throw ValidationError(fault) }
            if let from, from < 1 { throw ValidationError("--from is a position: 1 or more") }
        }

        func run() async throws {
            let added = try await options.administerWebhooks { [self] administration in
                try await administration.add(
                    name: name,
                    configuration: target,
                    types: filter.types,
                    products: filter.product,
                    after: from.map { $0 - 1 }
                )
            }
            guard let added else { throw Failure(.wrong, "there is a destination named \(name) already") }
            guard options.json else {
                Terminal.print("\(name) gets the events from position \(added.cursor + 1) on")
                options.show(secret: added.secret, of: name)
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("webhook", name)
            writer.member("from", added.cursor + 1)
            writer.member("secret", added.secret)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "How far each webhook is, and what went wrong.")

        @OptionGroup var options: DatabaseOptions

        func run() async throws {
            let logger = options.makeLogger()
            try await options.withDatabase(logger: logger) { database in
                let session = try EventLogAccess(database: database, logger: logger).ownerSession()
                defer { session.close() }
                for webhook in try Webhook.read(session) { show(webhook) }
            }
        }

        private func show(_ webhook: Webhook) {
            guard options.json else {
                let status = webhook.status
                let error = status.lastError.map {
                    "  last error at \(status.lastErrorAt.map { "\($0)" } ?? "?"): \($0)"
                }
                let state =
                    status.isPaused ? "paused" : status.failingSince.map { "failing since \($0)" } ?? "active"
                Terminal.print(
                    "\(webhook.name)  \(webhook.configuration.url)  \(state)  behind by \(status.behind)  "
                        + "parked \(status.parked)  waiting products \(status.heldProducts)\(error ?? "")"
                )
                return
            }
            var writer = JSONWriter()
            writer.webhook(webhook)
            Terminal.print(writer.bytes)
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change where a webhook goes or which events it gets, from within a second on."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The webhook's name.")
        var name: String

        @Option(help: "Where events are posted to.")
        var url: String?

        @Option(help: "How many seconds an answer may take, 1 to 30.")
        var timeout: Int?

        @Option(help: "Requests under way at once, 1 to 64.")
        var concurrency: Int?

        @OptionGroup(title: "Filter")
        var filter: EventFilterOptions

        @OptionGroup(title: "No filter")
        var unfiltered: UnfilteredOptions

        private var change: WebhookChange {
            var change = WebhookChange()
            (change.url, change.timeoutSeconds, change.concurrency) = (url, timeout, concurrency)
            (change.types, change.products) = (unfiltered.types(filter), unfiltered.products(filter))
            return change
        }

        func validate() throws {
            try unfiltered.validate(with: filter)
            guard change != WebhookChange() else { throw ValidationError("say what to change") }
            if let fault = change.fault { throw ValidationError(fault) }
        }

        func run() async throws {
            let isDone = try await options.administer { [name, change] in
                try await $0.change(webhook: name, change)
            }
            guard isDone else { throw Failure(.wrong, "there is no webhook \(name)") }
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a webhook a new secret; messages bear both signatures for a while."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The webhook's name.")
        var name: String

        @Option(help: "How many hours the secret before still signs, 0 to 720.")
        var keep = 24

        func validate() throws {
            guard (0...720).contains(keep) else { throw ValidationError("--keep is a number from 0 to 720") }
        }

        func run() async throws {
            let secret = try await options.administerWebhooks { [name, keep] in
                try await $0.rotate(name, keeping: .seconds(keep * 3_600))
            }
            guard let secret else { throw Failure(.wrong, "there is no webhook \(name)") }
            guard options.json else { return options.show(secret: secret, of: name) }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("webhook", name)
            writer.member("secret", secret)
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget a webhook, with how far it was and what it still had to get."
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The webhook's name.")
        var name: String

        func run() async throws {
            let isDone = try await options.administer { [name] in try await $0.remove(name, kind: .webhook) }
            guard isDone else { throw Failure(.wrong, "there is no webhook \(name)") }
        }
    }
}

extension DatabaseOptions {
    /// Runs a privileged act on webhooks.
    fileprivate func administerWebhooks<Value: Sendable>(
        _ body: @escaping @Sendable (WebhookAdministration) async throws -> Value
    ) async throws -> Value {
        let logger = makeLogger()
        return try await withDatabase(logger: logger) { database in
            guard let secret = try database.serverSecret() else {
                throw Failure(.usage, ServerSecretFile.noWebhooks)
            }
            let access = EventLogAccess(database: database, logger: logger)
            let context = try access.commandContext()
            return try await access.withLog { log in
                try await body(WebhookAdministration(log: log, context: context, secret: secret))
            }
        }
    }

    fileprivate func show(secret: String, of name: String) {
        Terminal.print("secret: \(secret)")
        Terminal.note("The secret of \(name) is shown this once; it is kept nowhere.")
    }
}
