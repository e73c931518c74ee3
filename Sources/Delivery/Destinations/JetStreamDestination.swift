import Catalog
import EventLog
import JetStream

/// NATS JetStream: one stream, `<prefix>.<product id or log>.<created, updated …>`, message id = position.
///
/// Events go in strict order of positions, many in flight at once, and each names the one before it. So
///
/// - the stream's last message tells exactly what it holds: an acknowledgement comes before the server has forced the
///   message to disk, and after a crash acknowledged messages can be missing. Opening compares;
/// - an owner that was paused can add nothing but what comes next: see `docs/delivery.md`.
///
/// After any failure the connection is given up, and the destination must be opened again: what was in flight may have
/// been taken.
actor JetStreamDestination: Destination {
    private struct Session {
        let client: JetStreamClient
        var chain: JetStreamChain
        /// The log whose events the stream holds, as `source` of CloudEvents has it.
        var source: String?
    }

    /// The longest event with its headers; a server that takes less is refused at opening, so that no event is too long.
    static let payloadLimitBytes = 256 * 1024

    nonisolated let batchLimit = 500
    nonisolated let batchGroupLimit = 500
    nonisolated let batchBytes = 4 << 20
    nonisolated let isSequential = true

    var isBroken: Bool { session.map { !$0.client.connection.isOpen } ?? true }

    private let configuration: JetStreamConfiguration
    private let requestTimeout: Duration
    private var session: Session?
    private var isSending = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ configuration: JetStreamConfiguration, requestTimeout: Duration = .seconds(5))
        throws(DestinationError)
    {
        if let fault = configuration.fault { throw DestinationError(fault) }
        self.configuration = configuration
        self.requestTimeout = requestTimeout
    }

    /// - Throws: when the server cannot be reached or takes too little, or the stream is not as it must be.
    func open() async throws(DestinationError) -> Int64? {
        await close()
        var settings = try configuration.connection()
        settings.requestTimeout = requestTimeout
        let client: JetStreamClient
        do throws(NATSError) { client = JetStreamClient(try await NATSConnection.open(settings)) } catch {
            throw DestinationError(error.debugDescription)
        }
        do throws(DestinationError) {
            let opened = try await look(client)
            session = opened
            return opened.chain.held
        } catch {
            await client.connection.close()
            throw error
        }
    }

    func close() async {
        guard let client = session?.client else { return }
        session = nil
        await client.connection.close()
    }

    private func look(_ client: JetStreamClient) async throws(DestinationError) -> Session {
        guard client.connection.info.payloadLimitBytes >= Self.payloadLimitBytes else {
            throw DestinationError(
                "the server's max_payload is less than \(Self.payloadLimitBytes) bytes"
            )
        }
        let wanted = try configuration.streamConfiguration()
        let (stream, last): (StreamInfo, StoredMessage?)
        do throws(NATSError) {
            stream = try await client.ensureStream(wanted)
            last = try await client.lastMessage(stream.name, subject: ">")
        } catch { throw DestinationError(error.debugDescription) }
        return Session(
            client: client,
            chain: try JetStreamChain(
                last: last,
                lastSequence: stream.lastSequence,
                start: configuration.after
            ),
            source: last.flatMap { Self.source($0.payload) }
        )
    }

    private static func source(_ body: [UInt8]) -> String? {
        guard case .string(let source)? = (try? JSONParser.parse(body))?["source"] else { return nil }
        return source
    }
}

// MARK: - Sending

extension JetStreamDestination {
    /// The log as it grows and replays come at once: one after the other, they make one chain.
    func send(_ events: [OutgoingEvent], _ permit: SendPermit) async -> [SendOutcome] {
        while isSending { await withCheckedContinuation { waiting.append($0) } }
        isSending = true
        defer {
            isSending = false
            if !waiting.isEmpty { waiting.removeFirst().resume() }
        }
        guard let session, let first = events.first else {
            return Self.unavailable(events, "it must be opened first")
        }
        let source = Self.source(first.body)
        guard session.source == nil || session.source == source else {
            await close()
            return Self.unavailable(
                events,
                "the stream holds another log's events: each log needs a stream of its own"
            )
        }
        self.session?.source = source
        let missing = events.filter { !session.chain.holds($0) }
        let outcomes = await session.client.publish(session.chain.messages(missing, configuration))
        return await judge(events, missing: missing, outcomes)
    }

    /// Accepted: what the stream held, and the acknowledged up to the first that was not. Of the rest nothing is known.
    private func judge(
        _ events: [OutgoingEvent],
        missing: [OutgoingEvent],
        _ outcomes: [Result<PublishAcknowledgement, NATSError>]
    ) async -> [SendOutcome] {
        var failure: NATSError?
        var taken: Set<String> = []
        for (event, outcome) in zip(missing, outcomes) {
            do throws(NATSError) {
                _ = try outcome.get()
                taken.insert(event.deduplicationID)
                session?.chain.took(event)
            } catch {
                failure = error
                break
            }
        }
        guard let failure else { return events.map { _ in .accepted } }
        let unknown = Set(missing.map(\.deduplicationID)).subtracting(taken)
        await close()
        return events.map {
            unknown.contains($0.deduplicationID) ? .unavailable(Self.reason(failure)) : .accepted
        }
    }

    private static func unavailable(_ events: [OutgoingEvent], _ reason: String) -> [SendOutcome] {
        events.map { _ in .unavailable(reason) }
    }

    private static func reason(_ error: NATSError) -> String {
        switch error.code {
        case .refused(_, JetStreamErrorCode.wrongLastMessageID),
            .refused(_, JetStreamErrorCode.wrongLastSequence):
            "another relay has written to the stream: \(error.debugDescription)"
        default: error.debugDescription
        }
    }
}
