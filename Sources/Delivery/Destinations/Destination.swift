/// Somewhere outside that events are relayed to.
///
/// One relay at a time owns a destination. It never has two batches with messages of one product under way, and sends a
/// message again until it is accepted or refused: a destination that can tell repeated messages by their deduplication
/// ids should.
protocol Destination: Sendable {
    /// Messages of one call at most, messages of one product among them, and bytes of their bodies.
    var batchLimit: Int { get }
    var batchGroupLimit: Int { get }
    var batchBytes: Int { get }
    /// Events go in strict order of positions, one batch at a time, and no event is refused; after `unavailable` the
    /// destination is opened again.
    var isSequential: Bool { get }
    /// Calls of `send` under way at once at most.
    var concurrency: Int { get }
    var backoff: RelayBackoff { get }
    /// After so long without a proper answer the destination is disabled; nil: never.
    var patience: Duration? { get }
    /// It must be opened again although nothing was sent: its connection is gone, and with it perhaps what it had taken.
    var isBroken: Bool { get async }

    /// Gets ready to send.
    ///
    /// Returns the last position up to which the destination is known to hold everything; nil when it cannot tell.
    func open() async throws(DestinationError) -> Int64?

    /// Sends messages; an outcome each, in order. Returns within a bounded time, and soon when cancelled.
    ///
    /// - Parameter permit: is asked before each request that a call makes.
    func send(_ messages: [OutgoingEvent], _ permit: SendPermit) async -> [SendOutcome]

    func close() async
}

extension Destination {
    var isSequential: Bool { false }
    var concurrency: Int { 8 }
    var backoff: RelayBackoff { .doubling }
    var patience: Duration? { nil }
    var isBroken: Bool { get async { false } }
}

/// What a destination gets of an event.
struct OutgoingEvent: Sendable {
    let position: Int64
    /// Nil for events about no product.
    let product: Int64?
    /// As CloudEvents have it: `rastro.product.created`.
    let type: String
    let body: [UInt8]
    /// The position; replays have their own, so that a destination that knows the live message takes it again.
    let deduplicationID: String
    /// Names the message in all logs: the log's incarnation, and the deduplication id.
    let messageID: String
    let isReplay: Bool

    /// `log` for events about no product.
    var groupID: String { product.map { String($0) } ?? "log" }
}

/// Whether this process may still send: it owns the destination as far as it knows.
struct SendPermit: Sendable {
    let isGiven: @Sendable () -> Bool

    static let always = SendPermit { true }
    /// What becomes of a message that may not be sent any more.
    static let ended = SendOutcome.unavailable("the lease is over")
}

/// What became of a message. Reasons are shown to operators and kept: no secrets stand in them.
enum SendOutcome: Sendable, Hashable {
    case accepted
    /// This message could not be taken now; `after`: not before so long.
    case retry(String, after: Duration? = nil)
    /// This message will never be taken.
    case refused(String)
    /// Nothing is known of the message: the destination as a whole gave no proper answer; `after`: ask it not before so
    /// long.
    case unavailable(String, after: Duration? = nil)
    /// The destination asks for no more events at all.
    case gone(String)
}

/// Why a destination cannot be used: shown to operators, without secrets.
struct DestinationError: Error, Sendable, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
