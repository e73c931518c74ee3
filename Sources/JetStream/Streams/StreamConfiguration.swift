import Catalog

/// What a stream should be. Source: NATS ADR-31 and JetStream's `stream_create` schema.
package struct StreamConfiguration: Sendable, Hashable {
    package let name: String
    package let subjects: [String]
    package var replicas: Int
    /// How long the server knows a message's id again.
    package var duplicateWindow: Duration
    /// How long messages are kept; nil: for ever.
    package var maximumAge: Duration?

    package static let replicasRange = 1...5

    package init(
        name: String,
        subjects: [String],
        replicas: Int = 1,
        duplicateWindow: Duration = .seconds(120),
        maximumAge: Duration? = nil
    ) throws(NATSError) {
        guard Self.isName(name) else {
            throw NATSError(.invalidConfiguration, "a stream's name has 1 to 255 letters, digits, - and _")
        }
        guard Self.replicasRange ~= replicas else {
            throw NATSError(.invalidConfiguration, "a stream has 1 to 5 replicas")
        }
        self.name = name
        self.subjects = subjects
        self.replicas = replicas
        self.duplicateWindow = duplicateWindow
        self.maximumAge = maximumAge
    }

    package static func isName(_ text: String) -> Bool {
        1...255 ~= text.utf8.count
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                default: false
                }
            }
    }

    var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("name", name)
        writer.member("subjects", .array(subjects.map { .string($0) }))
        writer.member("retention", "limits")
        writer.member("storage", "file")
        writer.member("discard", "old")
        writer.member("num_replicas", replicas)
        writer.member("max_consumers", -1)
        writer.member("max_msgs", -1)
        writer.member("max_bytes", -1)
        writer.member("max_age", Self.nanoseconds(maximumAge ?? .zero))
        writer.member("duplicate_window", Self.nanoseconds(duplicateWindow))
        writer.endObject()
        return writer.bytes
    }

    private static func nanoseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
    }
}
