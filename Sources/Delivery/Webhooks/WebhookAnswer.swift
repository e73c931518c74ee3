/// What an endpoint's answer to a message means: pure.
enum WebhookAnswer: Sendable, Hashable {
    /// A status, and what `Retry-After` says, in seconds.
    case status(Int, retryAfter: Int64?)
    /// No answer in time.
    case late
    /// The connection ended without an answer.
    case broken(String)
    /// No connection; nothing was sent.
    case unreachable(String)

    /// What is waited at most because an endpoint asks for it: a day, the longest step of the schedule.
    private static let longestWait: Int64 = 86_400

    var outcome: SendOutcome {
        switch self {
        case .status(200...299, _): .accepted
        case .status(410, _): .gone("the endpoint is gone (410)")
        case .status(429, let seconds): .unavailable("too many requests (429)", after: Self.wait(seconds))
        case .status(503, let seconds?): .unavailable("the endpoint is away (503)", after: Self.wait(seconds))
        case .status(let status, let seconds): .retry("the endpoint answered \(status)", after: Self.wait(seconds))
        case .late: .retry("the endpoint did not answer in time")
        case .broken(let reason): .retry(reason)
        case .unreachable(let reason): .unavailable(reason)
        }
    }

    private static func wait(_ seconds: Int64?) -> Duration? { seconds.map { .seconds(min($0, longestWait)) } }
}

/// Tells an endpoint that fails from one that fails on a message: five products' events in a row in vain, and none taken
/// between them, are the endpoint's fault. Then no message is charged, until one is taken.
struct WebhookStrain: Sendable {
    private var failing: Set<String> = []
    private static let limit = 5

    /// What an outcome is worth, given those before it.
    mutating func judge(_ outcome: SendOutcome, of group: String) -> SendOutcome {
        switch outcome {
        case .accepted: failing = []
        case .retry(let reason, let after):
            if failing.count < Self.limit { failing.insert(group) }
            if failing.count >= Self.limit { return .unavailable(reason, after: after) }
        case .refused, .unavailable, .gone: break
        }
        return outcome
    }
}
