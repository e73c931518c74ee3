import EventLog
import JetStream

/// The stream's end as this relay knows it: each message is fenced by the one before it.
///
/// `Nats-Expected-Last-Msg-Id` names the predecessor. The first message after opening is fenced by the stream's last
/// sequence instead: a server that was restarted knows the last message's id only while that is younger than the duplicate
/// window (nats-server 2.9 to 2.11), and refuses every such header afterwards.
struct JetStreamChain: Sendable, Hashable {
    /// Every message tells with it up to which position of the log the stream holds everything that was selected.
    static let throughHeader = "Rastro-Through"
    private static let unknown = "unknown"

    /// Whose stream it is; without its log until the first message is known.
    private(set) var identity: JetStreamIdentity
    /// Selected live events up to here are in the stream; nil: not known.
    private(set) var through: Int64?
    /// Of the stream's last message; nil: only its sequence is known.
    private(set) var lastID: String?
    private var lastSequence: Int64
    /// Messages before it are gone from the stream.
    private let firstSequence: Int64

    /// - Parameters:
    ///   - stream: As it is now.
    ///   - last: Its last message; nil: it holds none.
    ///   - identity: Of the destination that is opened.
    ///   - start: The position after which its filter counts; nil: not known.
    /// - Throws: when somebody else has written to the stream.
    init(
        _ stream: StreamInfo,
        last: StoredMessage?,
        identity: JetStreamIdentity,
        start: Int64?
    ) throws(DestinationError) {
        lastSequence = max(stream.lastSequence, last?.sequence ?? 0)
        firstSequence = stream.firstSequence
        guard let last else {
            self.identity = identity
            // What a stream held whose messages are gone by age cannot be told.
            through = stream.lastSequence == 0 ? start : nil
            return
        }
        guard let text = last.headers[Self.throughHeader], Int64(text) != nil || text == Self.unknown,
            let owner = last.headers[JetStreamIdentity.header].flatMap(JetStreamIdentity.init(_:)),
            let log = owner.log
        else {
            throw DestinationError(
                "the last message of the stream \(stream.name), \(last.sequence), was not written by a destination: "
                    + "each destination needs a stream of its own"
            )
        }
        guard owner.destination == identity.destination else {
            throw DestinationError(
                "the stream \(stream.name) holds the events of another destination, \(owner.text): name another stream, "
                    + "or delete that one on the NATS server"
            )
        }
        self.identity = identity.of(log: log)
        // What another filter selected tells nothing of this one's events.
        through = owner.selection == identity.selection ? Int64(text) : start
    }

    /// Binds the chain to the log that events come from; false when the stream holds another's.
    mutating func binds(to log: String) -> Bool {
        if identity.log == nil { identity = identity.of(log: log) }
        return identity.log == log
    }

    /// The stream holds nothing of what it held: its server may still know that, and take it for the last message.
    var isEmptied: Bool { lastID == nil && lastSequence > 0 && firstSequence > lastSequence }

    /// Whether the stream has the event already.
    func contains(_ event: OutgoingEvent) -> Bool {
        guard !event.isReplay, let through else { return false }
        return event.position <= through
    }

    /// The messages that take the events to the stream, in order, each bound to the one before it.
    func messages(
        _ events: ArraySlice<OutgoingEvent>,
        _ configuration: JetStreamConfiguration
    ) -> [OutgoingMessage] {
        var (through, lastID) = (through, lastID)
        return events.map { event in
            var headers = NATSHeaders()
            headers.add("Nats-Msg-Id", event.deduplicationID)
            headers.add("Nats-Expected-Stream", configuration.stream)
            if let lastID {
                headers.add("Nats-Expected-Last-Msg-Id", lastID)
            } else {
                headers.add("Nats-Expected-Last-Sequence", String(lastSequence))
            }
            lastID = event.deduplicationID
            if !event.isReplay { through = event.position }
            headers.add(JetStreamIdentity.header, identity.text)
            headers.add(Self.throughHeader, through.map { String($0) } ?? Self.unknown)
            headers.add("Content-Type", CloudEvent.mediaType)
            let type = event.type.split(separator: ".").last.map { String($0) } ?? event.type
            return OutgoingMessage(
                subject: "\(configuration.subjectPrefix).\(event.groupID).\(type)",
                headers: headers,
                payload: event.body
            )
        }
    }

    /// The stream has an event that follows what it had; false when the server only remembers it, and the stream has been
    /// emptied since.
    ///
    /// A message that was there already is the last one only if nothing else came after it: else the next message must
    /// not name it.
    mutating func took(_ event: OutgoingEvent, _ acknowledgement: PublishAcknowledgement) -> Bool {
        guard acknowledgement.sequence >= firstSequence else { return false }
        if acknowledgement.sequence > lastSequence {
            lastSequence = acknowledgement.sequence
            lastID = event.deduplicationID
        }
        if !event.isReplay { through = event.position }
        return true
    }
}
