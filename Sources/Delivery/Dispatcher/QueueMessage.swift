/// A message that was received.
package struct QueueMessage: Sendable, Hashable {
    package let handle: QueueHandle
    /// How often it has been received, this time included.
    package let receiveCount: Int
    /// Microseconds since the Unix epoch; after the queue was taken over no earlier than that.
    package let firstReceivedAt: Int64

    /// The event's position, or the number of a message of the queue's own.
    package var position: Int64 { handle.receipt.position }
    /// The product, 0 for an event about none; of other messages what stands for their group.
    package var group: Int64 { handle.receipt.group }
    /// Whether it is an event that was delivered again on demand. A replay's messages keep their order among themselves.
    package var isReplay: Bool { handle.source > MessageSource.main }
    /// Whether it came back from the dead letters.
    package var isMoved: Bool { handle.source == MessageSource.moved }
}
