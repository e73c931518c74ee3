package import Delivery
package import EventLog
package import Logging

/// What the gateway works with.
package struct GatewayServices: Sendable {
    package let eventLog: EventLog
    package let keys: KeyStore
    /// Nil: no webhook can be made here.
    package let secret: ServerSecret?
    /// Nil: this gateway serves no queues.
    package let queues: QueueDirectory?
    package let queueForwarder = QueueForwarder()
    package let refusals: RefusalLedger
    package let scrape: MetricsScrape
    /// What `/readyz` asks, in this order.
    package let readiness: [ReadinessCheck]

    /// - Parameter readiness: further checks; the database is always asked.
    package init(
        eventLog: EventLog,
        keys: KeyStore,
        secret: ServerSecret? = nil,
        queues: QueueDirectory? = nil,
        readiness: [ReadinessCheck] = [],
        limiter: RefusalLimiter = RefusalLimiter(),
        logger: Logger
    ) {
        self.eventLog = eventLog
        self.keys = keys
        self.secret = secret
        self.queues = queues
        refusals = RefusalLedger(log: eventLog, limiter: limiter, logger: logger)
        scrape = MetricsScrape(log: eventLog, directory: queues, logger: logger)
        self.readiness = [.database(eventLog)] + readiness
    }
}
