import EventLog
import JetStream

/// The stream's end as this relay knows it: each message is fenced by the one before it.
///
/// `Nats-Expected-Last-Msg-Id` names the predecessor. The first message after opening is fenced by the stream's last
/// sequence instead: a server that was restarted knows the last message's id only while that is younger than the duplicate
/// window (nats-server 2.9 to 2.11), and refuses every such header afterwards.
struct JetStreamChain: Sendable, Hashable {
    /// Every message tells with it up to which position of the log the stream holds everything that was selected.
    static let heldHeader = "Rastro-Held"
    private static let unknown = "unknown"

    /// Live events up to here are in the stream; nil: not known.
    private(set) var held: Int64?
    private var lastID: String?
    private let lastSequence: Int64

    /// - Parameters:
    ///   - last: The stream's last message; nil: it holds none.
    ///   - lastSequence: The stream's last sequence, perhaps of a message that is gone.
    ///   - start: Where the destination began; nil: not known.
    /// - Throws: when somebody else has written to the stream.
    init(last: StoredMessage?, lastSequence: Int64, start: Int64?) throws(DestinationError) {
        self.lastSequence = max(lastSequence, last?.sequence ?? 0)
        guard let last else {
            // What a stream held whose messages are gone by age cannot be told.
            held = lastSequence == 0 ? start : nil
            return
        }
        guard let text = last.headers[Self.heldHeader], Int64(text) != nil || text == Self.unknown
        else {
            throw DestinationError(
                "the stream's last message, \(last.sequence), is no relay's: it needs a stream of its own"
            )
        }
        held = Int64(text)
    }

    /// Whether the stream has the event already.
    func holds(_ event: OutgoingEvent) -> Bool {
        guard !event.isReplay, let held else { return false }
        return event.position <= held
    }

    /// The messages that take the events to the stream, in order, each bound to the one before it.
    func messages(_ events: [OutgoingEvent], _ configuration: JetStreamConfiguration)
        -> [OutgoingMessage]
    {
        var chain = self
        return events.map { event in
            var headers = NATSHeaders()
            headers.add("Nats-Msg-Id", event.deduplicationID)
            headers.add("Nats-Expected-Stream", configuration.stream)
            if let id = chain.lastID {
                headers.add("Nats-Expected-Last-Msg-Id", id)
            } else {
                headers.add("Nats-Expected-Last-Sequence", String(lastSequence))
            }
            chain.took(event)
            headers.add(Self.heldHeader, chain.held.map { String($0) } ?? Self.unknown)
            headers.add("Content-Type", CloudEvent.mediaType)
            let type = event.type.split(separator: ".").last.map { String($0) } ?? event.type
            return OutgoingMessage(
                subject: "\(configuration.subjectPrefix).\(event.groupID).\(type)",
                headers: headers,
                payload: event.body
            )
        }
    }

    /// The stream has acknowledged an event that follows what it had.
    mutating func took(_ event: OutgoingEvent) {
        lastID = event.deduplicationID
        if !event.isReplay { held = event.position }
    }
}
