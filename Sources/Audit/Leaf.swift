import Catalog
import Crypto
package import EventLog

/// What the transparency log's tree hashes of an event: RFC 8785 JSON, strings only, of its CloudEvents envelope.
///
/// No payload and no user id stand in it: `datahash` binds the data under its salt, `actor` the user under his key.
package enum Leaf {
    /// The exact bytes of an event's leaf.
    ///
    /// Members, in RFC 8785's order (UTF-16 code units of the names): `actor`, `auth`, `client`, `code`, `datahash`,
    /// `dataschema`, `id`, `sequence`, `source`, `specversion`, `subject`, `time`, `type`, `version`, `via`; `client`,
    /// `code` and `version` only when the event has them, `datahash` and `dataschema` only with data.
    package static func canonicalJSON(_ event: RecordedEvent, _ identity: LogIdentity) -> [UInt8] {
        var writer = JSONWriter(reserving: 640)
        writer.beginObject()
        writer.member("actor", Base64URL.encode(event.actor))
        writer.member("auth", event.auth.name)
        if let client = event.clientID { writer.member("client", client) }
        if let code = event.code { writer.member("code", code) }
        if let data = event.data {
            writer.member("datahash", Base64URL.encode(dataHash(data, salt: event.dataSalt ?? [])))
            writer.member("dataschema", dataSchema(event.schema))
        }
        writer.member("id", String(event.position))
        writer.member("sequence", event.sequence)
        writer.member("source", identity.source)
        writer.member("specversion", "1.0")
        writer.member("subject", event.subject)
        writer.member("time", event.recordedAt.description)
        writer.member("type", event.type.cloudEventsType)
        if let version = event.version { writer.member("version", String(version)) }
        writer.member("via", event.via.name)
        writer.endObject()
        return writer.bytes
    }

    /// `SHA256("rastro/data/v1" ‖ 0x00 ‖ salt ‖ data bytes)`, 32 bytes.
    package static func dataHash(_ data: [UInt8], salt: [UInt8]) -> [UInt8] {
        var hash = SHA256()
        hash.update(data: Array("rastro/data/v1".utf8) + [0])
        hash.update(data: salt)
        hash.update(data: data)
        return Array(hash.finalize())
    }

    /// The URI that names a version of the data's schema: `urn:rastro:data:1`.
    package static func dataSchema(_ schema: Int16) -> String { "urn:rastro:data:\(schema)" }
}
