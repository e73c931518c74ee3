package import EventLog
import HTTPTypes
package import Hummingbird
import Logging
import NIOCore
import Synchronization

/// What is known about one request from its arrival on.
package struct RastroRequestContext: Hummingbird.RequestContext {
    package var coreContext: CoreRequestContextStorage
    /// The client's `X-Request-Id` if it is well-formed, else ours.
    package private(set) var requestID: EventRequestID
    /// The client's trace context; begun anew when it sent an invalid one, nil when it sent none.
    package private(set) var trace: TraceContext?
    let connection: any Channel
    let bodyState = BodyState()

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        connection = source.channel
        requestID = .generated(UUIDv7())
    }

    /// Takes over the labels that the client sent.
    mutating func readLabels(_ headers: HTTPFields) {
        if let label = headers[.requestID], let accepted = EventRequestID(label: label) { requestID = accepted }
        if let header = headers[.traceParent] { trace = TraceContext(header: header) ?? .random() }
    }

    /// For messages about this request: they bear its id.
    var labelledLogger: Logger {
        var logger = logger
        logger[metadataKey: "request"] = "\(requestID)"
        return logger
    }

    /// Whether the handler has begun to read the body: it can be read once only.
    final class BodyState: Sendable {
        private let taken = Atomic<Bool>(false)

        var isTaken: Bool { taken.load(ordering: .relaxed) }

        func take() { taken.store(true, ordering: .relaxed) }
    }
}

extension TraceContext {
    /// A trace that begins here, not sampled.
    static func random() -> TraceContext? {
        var bytes = (0..<24).map { _ in UInt8.random(in: 1...255) }
        bytes.append(0)
        return TraceContext(bytes: bytes)
    }
}
