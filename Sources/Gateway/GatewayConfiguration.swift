/// How the gateway listens and what it bounds.
package struct GatewayConfiguration: Sendable {
    package var host: String
    /// 0 picks a free one.
    package var port: Int
    /// Where other gateways reach this one: `http://HOST:PORT`; nil: nowhere.
    package var advertisedAddress: String?
    package var bodyLimitBytes = 1 << 20
    /// Path and header fields together.
    package var headerLimitBytes = 16 << 10
    /// How long a client may take to send a request, to take an answer, or to stay silent, before it is cut off.
    package var requestTimeout: Duration = .seconds(30)
    /// How many requests may be in progress at once.
    package var waitingRequestsLimit = 10_000
    package var connectionLimit = 20_000
    /// Of a request that sends to a queue: a batch of 1 MiB may be eight times that long in JSON.
    package var queueBodyLimitBytes = 8 << 20
    /// Of every other request to a queue.
    package var queueShortBodyLimitBytes = 64 << 10
    /// Of all requests to queues that are under way together.
    package var queueBodiesLimitBytes = 256 << 20
    /// How many receives may wait for messages at once; they take no place from other requests.
    package var waitingPollsLimit = 10_000
    /// Whether changes need an `If-Match`.
    package var requireIfMatch = false
    /// Empty but in a bench.
    package var unaudited: [UnauditedSource] = []

    package init(host: String = "127.0.0.1", port: Int = 8080) {
        (self.host, self.port) = (host, port)
    }
}
