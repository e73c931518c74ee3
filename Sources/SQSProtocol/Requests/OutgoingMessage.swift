import Catalog

/// A message that somebody sends, checked as far as it goes without the queue.
package struct OutgoingMessage: Sendable, Hashable {
    package static let delays = QueueAttributes.delays

    package let body: String
    package let attributes: MessageAttributes
    package let delay: Duration?
    package let groupID: String?
    package let deduplicationID: String?

    /// What counts against the limit.
    package var byteCount: Int { body.utf8.count + attributes.byteCount }

    init(_ reader: ObjectReader) throws(SQSError) {
        body = try reader.required("MessageBody")
        guard MessageText.isAllowed(body) else { throw .invalidMessageContents }
        attributes = try MessageAttributes(json: reader["MessageAttributes"])
        delay = try reader.integer(
            "DelaySeconds",
            in: Self.delays,
            "DelaySeconds must be >= 0 and <= 900."
        )
        .map { .seconds($0) }
        groupID = try Self.identifier("MessageGroupId", reader)
        deduplicationID = try Self.identifier("MessageDeduplicationId", reader)
    }

    private static func identifier(_ name: String, _ reader: ObjectReader) throws(SQSError) -> String? {
        guard let text = try reader.text(name) else { return nil }
        guard MessageText.isIdentifier(text) else {
            throw .invalidParameterValue(
                name,
                value: String(text.prefix(128)),
                "\(name) can only include alphanumeric and punctuation characters. 1 to 128 in length."
            )
        }
        return text
    }
}

extension OutgoingMessage {
    /// Checks what depends on the queue.
    ///
    /// - Returns: the deduplication id: the one that was given, or the body's SHA-256; nil for a standard queue.
    package func deduplicationID(
        isFIFO: Bool,
        hasContentBasedDeduplication: Bool,
        limitBytes: Int
    ) throws(SQSError) -> String? {
        guard byteCount <= limitBytes else { throw .messageTooLong(limit: limitBytes) }
        guard isFIFO else {
            if let deduplicationID {
                throw .notForQueueType("MessageDeduplicationId", value: deduplicationID)
            }
            return nil
        }
        guard groupID != nil else { throw .missingParameter("MessageGroupId") }
        if let delay, delay > .zero {
            throw .notForQueueType("DelaySeconds", value: String(delay.components.seconds))
        }
        if let deduplicationID { return deduplicationID }
        guard hasContentBasedDeduplication else { throw .missingDeduplicationID }
        return Digest.sha256(body.utf8)
    }
}
