package import LibPQ

/// The built-in consumer: counts the events of `product-activity.fifo` in `product_activity` and `user_activity`.
package struct ActivityConsumer: Consumer {
    package let name = "activity"

    package init() {}

    package func apply(_ events: ConsumedEvents, in session: Session) throws {
        _ = try session.query(Statements.countActivity, Parameters().int64Array(events.positions))
    }
}
