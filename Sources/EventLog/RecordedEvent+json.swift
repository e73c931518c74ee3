package import Catalog

extension JSONWriter {
    /// An event as every answer and every message shows it: `{"position", "type", "productId", "version", "code",
    /// "userId", "clientId", "auth", "requestId", "traceparent", "via", "recordedAt", "schema", "data", "proof"}` in this
    /// order, absent optionals left out.
    package mutating func event(_ event: RecordedEvent) {
        beginObject()
        members(of: event)
        endObject()
    }

    /// The same members, for an object that has further ones.
    package mutating func members(of event: RecordedEvent) {
        member("position", event.position)
        member("type", event.type.name)
        if let productID = event.productID { member("productId", productID) }
        if let version = event.version { member("version", version) }
        if let code = event.code { member("code", code) }
        member("userId", event.userName)
        if let clientID = event.clientID { member("clientId", clientID) }
        member("auth", event.auth.name)
        member("requestId", event.requestID)
        if let trace = event.trace { member("traceparent", trace.description) }
        member("via", event.via.name)
        member("recordedAt", event.recordedAt)
        member("schema", event.schema)
        if let data = event.data { member("data", raw: data) }
        key("proof")
        beginObject()
        member("status", "pending")
        member("leafIndex", event.position - 1)
        endObject()
    }
}
