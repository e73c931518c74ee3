package import Catalog
package import EventLog

extension JSONWriter {
    /// An event as every answer shows it: `{"position", "type", "productId", "version", "code", "userId", "clientId",
    /// "auth", "requestId", "traceparent", "via", "recordedAt", "schema", "data", "proof"}` in this order, absent
    /// optionals left out.
    package mutating func event(_ event: RecordedEvent) {
        beginObject()
        members(of: event)
        endObject()
    }

    /// An event with what checks it offline: also `leaf`, `actor`, `userKey` (null once erased) and, with data,
    /// `dataText` (the exact bytes as a string) and `dataSalt`. Binary values are base64url.
    package mutating func eventWithLeaf(_ event: RecordedEvent, _ identity: LogIdentity) {
        beginObject()
        members(of: event)
        member("leaf", String(decoding: Leaf.canonicalJSON(event, identity), as: UTF8.self))
        member("actor", Base64URL.encode(event.actor))
        member("userKey", event.userKey.map(Base64URL.encode))
        if let data = event.data { member("dataText", String(decoding: data, as: UTF8.self)) }
        if let salt = event.dataSalt { member("dataSalt", Base64URL.encode(salt)) }
        endObject()
    }

    private mutating func members(of event: RecordedEvent) {
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
