/// A message that was received.
package struct QueueMessage: Sendable, Hashable {
    package let handle: QueueHandle
    /// How often it has been received, this time included.
    package let receiveCount: Int

    /// The event's position.
    package var position: Int64 { handle.receipt.position }
    /// The product; 0 for an event about none.
    package var group: Int64 { handle.receipt.group }
    /// Whether it was delivered again on demand. A replay's messages keep their order among themselves.
    package var isReplay: Bool { handle.replay != MessageSource.live }
}

/// What deletes a message or changes its visibility, until it is given again.
package struct QueueHandle: Sendable, Hashable {
    let replay: Int32
    package let receipt: ReceiptHandle
}
