package import Catalog
package import EventLog

extension JSONWriter {
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
}
