import Catalog

/// An event as queues and destinations deliver it: CloudEvents 1.0 in its JSON format.
///
/// Source: CloudEvents 1.0.2, "JSON Event Format", with the extensions "sequence" and "distributed tracing".
package enum CloudEvent {
    /// The media type of the whole.
    package static let mediaType = "application/cloudevents+json"

    /// The message's exact bytes.
    ///
    /// Members, in this order: `specversion`, `id` (position), `source` (names the log's incarnation), `type`, `subject`,
    /// `time`, `sequence` (position, 20 digits), `datacontenttype`, `traceparent` when the request had one, `replay`
    /// (`"true"`, only on what is delivered again), `data` (the event as the audit API shows it). `source` and `id`
    /// together are unique.
    package static func json(_ event: RecordedEvent, _ identity: LogIdentity, replay: Bool = false) -> [UInt8] {
        var writer = JSONWriter(reserving: 1_024)
        writer.beginObject()
        writer.member("specversion", "1.0")
        writer.member("id", String(event.position))
        writer.member("source", identity.source)
        writer.member("type", event.type.cloudEventsType)
        writer.member("subject", event.subject)
        writer.member("time", event.recordedAt)
        writer.member("sequence", event.sequence)
        writer.member("datacontenttype", "application/json")
        if let trace = event.trace { writer.member("traceparent", trace.description) }
        if replay { writer.member("replay", "true") }
        writer.key("data")
        writer.event(event)
        writer.endObject()
        return writer.bytes
    }
}
