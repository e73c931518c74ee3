package import Catalog
import LibPQ

/// A queue as its row tells.
package struct QueueDescription: Sendable {
    package let id: Int16
    package let name: String
    package let settings: QueueSettings
    package let tags: [String: String]
    package let createdAt: Timestamp
    package let changedAt: Timestamp
    /// Made by a migration: it cannot be deleted.
    package let isBuiltIn: Bool
    /// Signs receipt handles.
    let handleKey: [UInt8]
    let isDeleted: Bool
    /// The queue that its redrive policy names exists.
    let hasDeadLetterQueue: Bool

    /// From the columns of `find_queue`.
    init(_ row: Row) throws(PostgresError) {
        id = try row.int16(0)
        name = try row.text(1)
        var settings = QueueSettings(isFIFO: try row.bool(2))
        if try row.bool(3) {
            settings.events = EventSelection(
                types: try row.int16Array(4).compactMap(EventType.init(rawValue:)),
                products: try row.int64Array(5),
                after: try row.int64(6)
            )
        }
        settings.visibilityTimeout = .microseconds(try row.int64(7))
        settings.delay = .microseconds(try row.int64(8))
        settings.receiveWait = .microseconds(try row.int64(9))
        settings.retention = .microseconds(try row.int64(10))
        settings.maximumMessageBytes = Int(try row.int32(11))
        settings.deadLetterQueue = try row.optionalText(12)
        settings.maxReceiveCount = try row.optionalInt32(13).map(Int.init)
        settings.redriveAllowed = RedriveAllowed(names: try row.optionalTextArray(14))
        settings.hasContentBasedDeduplication = try row.bool(15)
        settings.deduplicatesByGroup = try row.bool(16)
        settings.hasHighThroughput = try row.bool(17)
        self.settings = settings
        tags = Self.tags(try row.text(18))
        isBuiltIn = try row.bool(19)
        createdAt = Timestamp(microseconds: try row.timestamp(20))
        changedAt = Timestamp(microseconds: try row.timestamp(21))
        handleKey = try row.bytes(22)
        isDeleted = try row.bool(23)
        hasDeadLetterQueue = try row.bool(24)
    }

    /// The very queue, not another one that was made under its name or its number.
    func isSame(as other: QueueDescription) -> Bool { id == other.id && createdAt == other.createdAt }

    /// How often a message is received before it goes to the dead-letter queue; nil: for ever, also while that queue does
    /// not exist.
    var maxReceiveCount: Int? { hasDeadLetterQueue ? settings.maxReceiveCount : nil }

    /// Tags as the column holds them: one JSON object of strings.
    static func text(ofTags tags: [String: String]) -> String {
        var writer = JSONWriter()
        let members = tags.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: .string($0.value)) }
        writer.value(.object(members))
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    private static func tags(_ text: String) -> [String: String] {
        guard case .object(let members)? = try? JSONParser.parse(text.utf8) else { return [:] }
        var tags: [String: String] = [:]
        for member in members { if case .string(let value) = member.value { tags[member.key] = value } }
        return tags
    }
}

extension RedriveAllowed {
    /// As the column holds it: null for all.
    var names: [String]? {
        switch self {
        case .all: nil
        case .none: []
        case .from(let names): names
        }
    }

    init(names: [String]?) {
        switch names {
        case nil: self = .all
        case .some(let names): self = names.isEmpty ? .none : .from(names)
        }
    }
}
