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
/// been taken. So it is when the task is cancelled that opens or sends.
actor JetStreamDestination: Destination {
    private struct Session {
        let client: JetStreamClient
        var chain: JetStreamChain
    }

    /// A server that takes less is refused at opening. A longer event is refused, which stops the stream until an operator
    /// decides.
    static let payloadLimitBytes = 256 * 1024
    /// Of a message's headers, at most.
    private static let headersLimitBytes = 1_024

    nonisolated let batchLimit = 500
    nonisolated let batchGroupLimit = 500
    nonisolated let batchBytes = 4 << 20
    nonisolated let isSequential = true

    var isBroken: Bool { session.map { !$0.client.connection.isOpen } ?? true }

    private let configuration: JetStreamConfiguration
    private let id: Int32
    private let identity: JetStreamIdentity
    private let servers: JetStreamServers
    private let requestTimeout: Duration
    private let requiredPayloadBytes: Int
    private var session: Session?
    private var isSending = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(
        _ description: DestinationDescription,
        _ servers: JetStreamServers = JetStreamServers(),
        requestTimeout: Duration = .seconds(5),
        requiredPayloadBytes: Int = JetStreamDestination.payloadLimitBytes
    ) throws(DestinationError) {
        configuration = try JetStreamConfiguration(json: description.configuration)
        id = description.id
        identity = JetStreamIdentity(id, description.selection, start: configuration.start)
        self.servers = servers
        self.requestTimeout = requestTimeout
        self.requiredPayloadBytes = requiredPayloadBytes
    }

    /// - Throws: when the server cannot be reached or takes too little, or the stream is not as it must be. Nothing is left
    ///   open then.
    func open() async throws(DestinationError) -> Int64? {
        await close()
        var settings = try configuration.connection()
        settings.requestTimeout = requestTimeout
        settings.servers = servers.ordered(settings.servers, for: id)
        let client: JetStreamClient
        do throws(NATSError) { client = JetStreamClient(try await NATSConnection.open(settings)) } catch {
            throw DestinationError(error.debugDescription)
        }
        do throws(DestinationError) {
            let chain = try await look(client)
            session = Session(client: client, chain: chain)
            servers.remember(client.connection.address, for: id)
            return chain.through
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

    private func look(_ client: JetStreamClient) async throws(DestinationError) -> JetStreamChain {
        guard client.connection.info.payloadLimitBytes >= requiredPayloadBytes else {
            throw DestinationError("the server's max_payload is less than \(requiredPayloadBytes) bytes")
        }
        let wanted = try configuration.streamConfiguration()
        let (stream, last): (StreamInfo, StoredMessage?)
        do throws(NATSError) {
            stream = try await client.ensureStream(wanted)
            last = try await client.lastMessage(stream.name, subject: ">")
        } catch { throw DestinationError(error.debugDescription) }
        return try JetStreamChain(stream, last: last, identity: identity, start: configuration.start)
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
        guard session != nil, let first = events.first else {
            return Self.unavailable(events, "it must be opened first")
        }
        guard session?.chain.binds(to: first.log) == true else {
            await close()
            return Self.unavailable(events, "the stream holds another log's events: each log needs a stream of its own")
        }
        let (fitting, refusal) = fitting(events)
        if let failure = await publish(fitting, permit) {
            await close()
            // Of the rest nothing is known: it may have been taken.
            return outcomes(events, taken: failure.taken, .unavailable(failure.reason), .unavailable(failure.reason))
        }
        guard let refusal else { return events.map { _ in .accepted } }
        return outcomes(events, taken: fitting.count, .refused(refusal), .retry("an event before it: \(refusal)"))
    }

    private func outcomes(
        _ events: [OutgoingEvent],
        taken: Int,
        _ next: SendOutcome,
        _ rest: SendOutcome
    ) -> [SendOutcome] {
        events.indices.map { $0 < taken ? .accepted : $0 == taken ? next : rest }
    }

    /// The events before the first that is longer than the server takes, and why that one will never be taken.
    private func fitting(_ events: [OutgoingEvent]) -> ([OutgoingEvent], refusal: String?) {
        let limit = (session?.client.connection.info.payloadLimitBytes ?? .max) - Self.headersLimitBytes
        guard let index = events.firstIndex(where: { $0.body.count > limit }) else { return (events, nil) }
        return (Array(events[..<index]), "it has \(events[index].body.count) bytes, the server takes \(limit)")
    }

    /// Publishes events in order; nil when the stream has all of them, else how many it is known to have.
    private func publish(_ events: [OutgoingEvent], _ permit: SendPermit) async -> (taken: Int, reason: String)? {
        guard let session else { return (0, "it must be opened first") }
        var chain = session.chain
        // It may have been closed and opened again meanwhile.
        defer { if self.session?.client.connection === session.client.connection { self.session?.chain = chain } }
        var taken = events.prefix { chain.contains($0) }.count
        while taken < events.count {
            guard permit.isGiven() else { return (taken, "the lease is over") }
            let first = taken
            // Nothing may come behind a message that an emptied stream does not store.
            let rest = chain.isEmptied ? events[first...first] : events[first...]
            let outcomes = await session.client.publish(chain.messages(rest, configuration))
            var failure: NATSError?
            for (event, outcome) in zip(rest, outcomes) {
                do throws(NATSError) {
                    guard chain.took(event, try outcome.get()) else {
                        return (taken, "the stream was emptied; its server forgets soon what it held")
                    }
                    taken += 1
                } catch {
                    failure = error
                    break
                }
            }
            guard let failure else { continue }
            // Behind a message that was there already the next one names what is not the stream's last: it was not stored,
            // and is sent again, bound to what is.
            let isMisbound = taken > first && chain.lastID != events[taken - 1].deduplicationID
            guard isMisbound, case .refused(_, JetStreamErrorCode.wrongLastMessageID) = failure.code else {
                return (taken, Self.reason(failure))
            }
        }
        return nil
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
