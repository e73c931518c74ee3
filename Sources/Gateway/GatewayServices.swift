package import EventLog
package import Logging

/// What the gateway works with.
package struct GatewayServices: Sendable {
    package let eventLog: EventLog
    package let keys: KeyStore
    package let refusals: RefusalLedger
    /// What `/readyz` asks, in this order.
    package let readiness: [ReadinessCheck]

    /// - Parameter readiness: further checks; the database is always asked.
    package init(
        eventLog: EventLog,
        keys: KeyStore,
        readiness: [ReadinessCheck] = [],
        limiter: RefusalLimiter = RefusalLimiter(),
        logger: Logger
    ) {
        self.eventLog = eventLog
        self.keys = keys
        refusals = RefusalLedger(log: eventLog, limiter: limiter, logger: logger)
        self.readiness = [.database(eventLog)] + readiness
    }
}
