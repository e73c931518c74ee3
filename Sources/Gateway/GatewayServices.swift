package import Delivery
package import EventLog
package import Logging

/// What the gateway works with.
package struct GatewayServices: Sendable {
    package let eventLog: EventLog
    package let keys: KeyStore
    /// Nil: this gateway serves no queues.
    package let queues: QueueDirectory?
    package let queueForwarder = QueueForwarder()
    package let refusals: RefusalLedger
    /// What `/readyz` asks, in this order.
    package let readiness: [ReadinessCheck]

    /// - Parameter readiness: further checks; the database is always asked.
    package init(
        eventLog: EventLog,
        keys: KeyStore,
        queues: QueueDirectory? = nil,
        readiness: [ReadinessCheck] = [],
        limiter: RefusalLimiter = RefusalLimiter(),
        logger: Logger
    ) {
        self.eventLog = eventLog
        self.keys = keys
        self.queues = queues
        refusals = RefusalLedger(log: eventLog, limiter: limiter, logger: logger)
        self.readiness = [.database(eventLog)] + readiness
    }
}
