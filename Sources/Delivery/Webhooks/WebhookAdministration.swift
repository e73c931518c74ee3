package import Catalog
package import EventLog

/// Adding, changing and rotating webhooks: each an OPERATED event in the act's own transaction. What goes for all
/// destinations is `DestinationAdministration`'s.
package struct WebhookAdministration: Sendable {
    private let destinations: DestinationAdministration
    private let secret: ServerSecret
    /// How long the secret before still signs, if nothing else is said.
    package static let keeping: Duration = .seconds(86_400)

    package init(log: EventLog, context: RequestContext, secret: ServerSecret) {
        destinations = DestinationAdministration(log: log, context: context)
        self.secret = secret
    }

    /// Adds a webhook that gets the events after `after`, by default those to come. Its secret and cursor, or nil when the
    /// name is taken.
    ///
    /// - Parameter configuration: without fault; its secrets are made here.
    package func add(
        name: String,
        configuration: WebhookConfiguration,
        types: [EventType],
        products: [Int64],
        after: Int64?
    ) async throws(CommitError) -> (secret: String, cursor: Int64)? {
        let made = WebhookSecret(of: secret)
        var configuration = configuration
        configuration.secrets = [made]
        let cursor = try await destinations.add(
            name: name,
            kind: .webhook,
            configuration: configuration.json,
            types: types,
            products: products,
            after: after
        )
        return cursor.map { (secret.webhookSecret(made.id), $0) }
    }

    /// Has messages signed with a new secret from now on, and with the one before as well for a while. The new one, or nil
    /// when there is no such webhook.
    package func rotate(_ name: String, keeping: Duration) async throws(CommitError) -> String? {
        let made = WebhookSecret(of: secret)
        let end = Timestamp.now().advanced(byMicroseconds: keeping.microseconds)
        let changed = try await destinations.change(name, kind: .webhook) { settings in
            if var configuration = try? WebhookConfiguration(json: settings.configuration) {
                configuration.rotate(to: made, keepingBeforeUntil: end)
                settings.configuration = configuration.json
            }
            return "rotated"
        }
        return changed.map { _ in secret.webhookSecret(made.id) }
    }
}

/// What is to be changed of a webhook; nil: it stays.
package struct WebhookChange: Sendable, Hashable {
    package var url: String?
    package var timeoutSeconds: Int?
    package var concurrency: Int?
    package var types: [EventType]?
    package var products: [Int64]?
    package var isPaused: Bool?

    package init() {}

    /// What is wrong with it; nil when nothing is.
    package var fault: String? {
        var configuration = WebhookConfiguration(url: url ?? "https://example.com/")
        apply(to: &configuration)
        return configuration.fault
    }

    private func apply(to configuration: inout WebhookConfiguration) {
        configuration.url = url ?? configuration.url
        configuration.timeoutSeconds = timeoutSeconds ?? configuration.timeoutSeconds
        configuration.concurrency = concurrency ?? configuration.concurrency
    }

    fileprivate func apply(to settings: inout DestinationSettings) {
        if var configuration = try? WebhookConfiguration(json: settings.configuration) {
            apply(to: &configuration)
            settings.configuration = configuration.json
        }
        settings.types = types ?? settings.types
        settings.products = products ?? settings.products
        settings.isPaused = isPaused ?? settings.isPaused
    }
}

extension DestinationAdministration {
    /// Changes a webhook; false when there is no such one.
    ///
    /// - Parameter change: without fault.
    package func change(webhook name: String, _ change: WebhookChange) async throws(CommitError) -> Bool {
        try await self.change(name, kind: .webhook) { settings in
            change.apply(to: &settings)
            return "changed"
        } != nil
    }
}
