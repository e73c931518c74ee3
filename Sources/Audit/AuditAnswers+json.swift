package import Catalog

// The answers of the audit API, byte for byte; the command line's `--json` prints the same.

extension JSONWriter {
    /// `{"product": {…} or null, "deleted", "position", "recordedAt"}`
    package mutating func productThen(_ then: ProductThen) {
        beginObject()
        key("product")
        if let product = then.product { self.product(product) } else { null() }
        member("deleted", then.isDeleted)
        member("position", then.position)
        member("recordedAt", then.recordedAt)
        endObject()
    }

    /// `{"productId", "from", "to", "changes", "events"}`, and `"deleted": true` when version `to` is the deletion.
    package mutating func productDiff(_ diff: ProductDiff) {
        beginObject()
        member("productId", diff.productID)
        member("from", diff.from)
        member("to", diff.to)
        key("changes")
        changes(diff.changes)
        if diff.endsDeleted { member("deleted", true) }
        member("events", .array(diff.events.map { .integer($0) }))
        endObject()
    }

    /// `{"userId", "count", "first", "last", "lastVersion"}`
    package mutating func viewer(_ viewer: Viewer) {
        beginObject()
        member("userId", viewer.userID)
        member("count", viewer.count)
        member("first", viewer.first)
        member("last", viewer.last)
        member("lastVersion", viewer.lastVersion)
        endObject()
    }

    /// `{"id", "userId", "scopes", "plan", "createdAt", "expiresAt"}`
    package mutating func keyThen(_ key: KeyThen) {
        beginObject()
        member("id", key.keyID)
        member("userId", key.userID)
        member("scopes", .array(key.scopes.map(JSONValue.string)))
        member("plan", key.plan)
        member("createdAt", key.createdAt)
        member("expiresAt", key.expiresAt)
        endObject()
    }
}
