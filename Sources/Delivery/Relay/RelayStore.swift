import Catalog
import EventLog
import LibPQ

/// The database's side of one destination's relay. Each call is one short statement or transaction.
struct RelayStore: Sendable {
    /// A destination that was just taken over.
    struct Taken: Sendable {
        let epoch: Int64
        let destination: DestinationDescription
        let cursor: Int64
        let revision: Int32
    }

    struct Replay: Sendable {
        let number: Int32
        let range: ReplayRange
        let cursor: Int64
    }

    let destination: Int32
    let pool: Pool
    let identity: LogIdentity

    /// Takes the destination over; nil while another process holds it, or it is paused or removed.
    func take(owner: String, lease: Duration) async throws -> Taken? {
        let parameters = Parameters().int32(destination).text(owner).int32(Self.milliseconds(lease))
        return try await pool.withConnection { session in
            guard let row = try session.query(Statements.takeDestination, parameters).first else { return nil }
            let cursor = try row.int64(6)
            return Taken(
                epoch: try row.int64(0),
                destination: try DestinationDescription(id: destination, row, offset: 1, after: cursor),
                cursor: cursor,
                revision: try row.int32(7)
            )
        }
    }

    /// What the row says when a lease is renewed.
    struct Kept: Sendable {
        let revision: Int32
        let isPaused: Bool
        /// Since when the destination as a whole gives no proper answer; microseconds since the Unix epoch.
        let failingSince: Int64?
    }

    /// Renews the lease; nil when the destination is owned no longer.
    ///
    /// - Parameter isFailing: it gives no proper answer; nil: it was not asked since.
    func keep(
        _ epoch: Int64,
        owner: String,
        lease: Duration,
        error: String? = nil,
        isFailing: Bool? = nil
    ) async throws -> Kept? {
        let parameters = Parameters()
            .int32(destination).int64(epoch).text(owner).int32(Self.milliseconds(lease))
            .text(error.map(Self.storable)).bool(isFailing)
        return try await pool.withConnection { session in
            try session.query(Statements.keepDestination, parameters).first.map { row in
                Kept(
                    revision: try row.int32(0),
                    isPaused: try row.bool(1),
                    failingSince: try row.optionalTimestamp(2)
                )
            }
        }
    }

    func leave(_ epoch: Int64, error: String?) async throws {
        let parameters = Parameters().int32(destination).int64(epoch).text(error.map(Self.storable))
        try await pool.withConnection { session in _ = try session.query(Statements.leaveDestination, parameters) }
    }

    /// By replay, 0 for the log as it grows.
    func holds() async throws -> [Int32: [RelayHold]] {
        try await pool.withConnection { session in
            var holds: [Int32: [RelayHold]] = [:]
            for row in try session.query(Statements.readHolds, Parameters().int32(destination)) {
                let hold = RelayHold(
                    group: try row.int64(1),
                    from: try row.int64(2),
                    isParked: try row.bool(3),
                    failures: Int(try row.int32(4)),
                    retryAt: try row.optionalTimestamp(5)
                )
                holds[try row.int32(0), default: []].append(hold)
            }
            return holds
        }
    }

    /// Groups that an operator let go on, by replay.
    func released() async throws -> [(replay: Int32, group: Int64, from: Int64)] {
        try await pool.withConnection { session in
            try session.query(Statements.readReleased, Parameters().int32(destination))
                .map { (try $0.int32(0), try $0.int64(1), try $0.int64(2)) }
        }
    }

    /// Those that are not finished, the oldest first.
    func replays() async throws -> [Replay] {
        try await pool.withConnection { session in
            try session.query(Statements.readDestinationReplays, Parameters().int32(destination)).map { row in
                let range = ReplayRange(
                    from: try row.int64(1),
                    to: try row.int64(2),
                    product: try row.optionalInt64(3),
                    types: try row.int16Array(4)
                )
                return Replay(number: try row.int32(0), range: range, cursor: try row.int64(5))
            }
        }
    }

    func finish(replay: Int32) async throws {
        try await pool.withConnection { session in
            _ = try session.query(Statements.finishDestinationReplay, Parameters().int32(replay))
        }
    }

    /// The last position of the log; 0 when it is empty.
    func end() async throws -> Int64 {
        try await pool.withConnection { try $0.query(Statements.relayEnd).first?.int64(0) ?? 0 }
    }

    /// Selected events after a position and up to another, in order, at most `limit`.
    func scan(
        replay: Int32,
        after: Int64,
        through: Int64,
        types: [Int16],
        products: [Int64],
        limit: Int32
    ) async throws -> [RelayState<OutgoingEvent>.Message] {
        let parameters = Parameters()
            .int32(destination).int32(replay).int64(after).int64(through).int16Array(types).int64Array(products)
            .int32(limit)
        return try await messages(Statements.relayScan, parameters, replay: replay)
    }

    /// Selected events of one product, or about none, from a position and up to another, in order, at most `limit`.
    func readBack(
        replay: Int32,
        _ reading: RelayState<OutgoingEvent>.Reading,
        types: [Int16],
        limit: Int32
    ) async throws -> [RelayState<OutgoingEvent>.Message] {
        let parameters = Parameters()
            .int32(destination).int32(replay).int64(reading.from).int64(reading.through).int16Array(types)
        guard reading.group != 0 else {
            return try await messages(Statements.relayScanLog, parameters.int32(limit), replay: replay)
        }
        let product = parameters.int64(reading.group).int32(limit)
        return try await messages(Statements.relayScanProduct, product, replay: replay)
    }

    private func messages(
        _ statement: Statement,
        _ parameters: Parameters,
        replay: Int32
    ) async throws -> [RelayState<OutgoingEvent>.Message] {
        try await pool.withConnection { session in
            try session.query(statement, parameters).map { row in
                let event = OutgoingEvent(try RecordedEvent(row), identity, replay: replay == 0 ? nil : replay)
                return RelayState.Message(
                    position: event.position,
                    group: event.product ?? 0,
                    bytes: event.body.count,
                    payload: event
                )
            }
        }
    }

    /// Fails with SQLSTATE RS005 when the destination is owned no longer.
    func save(_ journal: RelayJournal, replay: Int32, epoch: Int64) async throws {
        let parameters = Parameters()
            .int32(destination).int64(epoch).int32(replay).int64(journal.cursor)
            .int64Array(journal.parked.map(\.position)).int64Array(journal.parked.map(\.group))
            .textArray(journal.parked.map { Self.storable($0.reason) })
            .int64Array(journal.holds.map(\.group)).int64Array(journal.holds.map(\.from))
            .boolArray(journal.holds.map(\.isParked)).int32Array(journal.holds.map { Int32($0.failures) })
            .timestampArray(journal.holds.map(\.retryAt)).int64Array(journal.ended)
        try await pool.withConnection { session in _ = try session.query(Statements.saveRelay, parameters) }
    }

    /// What a destination says, as it can be stored and shown: without control characters (PostgreSQL takes no U+0000), and
    /// at most 500 bytes of it.
    static func storable(_ reason: String) -> String {
        var text = String.UnicodeScalarView()
        var bytes = 0
        for scalar in reason.unicodeScalars {
            let shown = scalar.properties.generalCategory == .control ? " " : scalar
            bytes += UTF8.width(shown)
            guard bytes <= 500 else { break }
            text.append(shown)
        }
        return String(text)
    }

    private static func milliseconds(_ duration: Duration) -> Int32 { Int32(duration.microseconds / 1_000) }
}

extension OutgoingEvent {
    /// - Parameter replay: the replay that sends it again; nil: live.
    init(_ event: RecordedEvent, _ identity: LogIdentity, replay: Int32?) {
        let deduplicationID = replay.map { "\(event.position)-r\($0)" } ?? String(event.position)
        self.init(
            position: event.position,
            product: event.productID,
            type: event.type.cloudEventsType,
            body: CloudEvent.json(event, identity, replay: replay != nil),
            deduplicationID: deduplicationID,
            messageID: "\(identity.incarnation)-\(deduplicationID)",
            isReplay: replay != nil
        )
    }
}
