/// A message to be sent to a queue that applications send to.
package struct NewMessage: Sendable {
    /// Without U+0000.
    package var body: String
    /// Message attributes, opaque to the queue.
    package var attributes: [UInt8]?
    /// Of a FIFO queue; nil in others.
    package var groupID: String?
    package var deduplicationID: String?
    /// Nil: the queue's own.
    package var delay: Duration?
    /// The sender's key.
    package var sender: Int32

    package init(
        body: String,
        attributes: [UInt8]? = nil,
        groupID: String? = nil,
        deduplicationID: String? = nil,
        delay: Duration? = nil,
        sender: Int32
    ) {
        self.body = body
        self.attributes = attributes
        self.groupID = groupID
        self.deduplicationID = deduplicationID
        self.delay = delay
        self.sender = sender
    }

    var byteCount: Int { body.utf8.count + (attributes?.count ?? 0) }
}

/// A message that was sent, now or, when it repeats one, within the last five minutes.
package struct SentMessage: Sendable {
    package let messageID: String
    package let sequenceNumber: String
    package let isDuplicate: Bool
}
