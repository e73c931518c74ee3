/// Which queue.
package struct QueueReference: Sendable, Hashable {
    package let id: Int16
    package let name: String

    package init(id: Int16, name: String) {
        self.id = id
        self.name = name
    }

    /// For the outside.
    package static let productEvents = QueueReference(id: 1, name: "product-events.fifo")
    /// The built-in consumer's.
    package static let productActivity = QueueReference(id: 2, name: "product-activity.fifo")
}
