package import Catalog
package import LibPQ

/// A webhook and how far it is.
package struct Webhook: Sendable {
    package let configuration: WebhookConfiguration
    package let status: DestinationStatus

    package var name: String { status.destination.name }

    /// Nil for a destination of another kind.
    package init?(_ status: DestinationStatus) {
        guard status.destination.kind == .webhook,
            let configuration = try? WebhookConfiguration(json: status.destination.configuration)
        else { return nil }
        self.configuration = configuration
        self.status = status
    }

    /// All of them, by name.
    package static func read(_ session: Session) throws(PostgresError) -> [Webhook] {
        try DestinationStatus.read(session).compactMap(Webhook.init)
    }
}

extension JSONWriter {
    /// As the API and the command line show it.
    ///
    /// - Parameter secret: shown when it is new.
    package mutating func webhook(_ webhook: Webhook, secret: String? = nil) {
        let status = webhook.status
        beginObject()
        member("name", webhook.name)
        member("url", webhook.configuration.url)
        member("types", .array(status.destination.selection.types.map { .string($0.name) }))
        member("products", .array(status.destination.selection.products.map { .integer($0) }))
        member("timeoutSeconds", Int64(webhook.configuration.timeoutSeconds))
        member("concurrency", Int64(webhook.configuration.concurrency))
        member("paused", status.isPaused)
        member("cursor", status.cursor)
        member("behind", status.behind)
        member("oldest", status.oldest)
        member("parked", status.parked)
        member("heldProducts", status.heldProducts)
        member("failingSince", status.failingSince)
        member("lastError", status.lastError)
        member("lastErrorAt", status.lastErrorAt)
        member("createdAt", status.createdAt)
        if let secret { member("secret", secret) }
        endObject()
    }
}
