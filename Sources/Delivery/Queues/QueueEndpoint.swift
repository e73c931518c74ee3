import Catalog
import EventLog
import LibPQ

/// A queue that this process owns, as the outside sees it: with bodies, and handles as text.
package struct QueueEndpoint: Sendable {
    let client: QueueClient
    package let queue: QueueDescription
    let log: EventLog

    /// Receives up to `max` messages (at most 10). What was lost to retention meanwhile is passed over.
    ///
    /// Throws `.notOwner` when the queue has another owner by now: route again.
    package func receive(
        max: Int,
        visibilityTimeout: Duration?,
        wait: Duration,
        attempt: String? = nil
    ) async throws(QueueError) -> [ReceivedMessage] {
        let deadline = ContinuousClock.now + wait
        while true {
            let messages = try await client.receive(
                max: max,
                visibilityTimeout: visibilityTimeout,
                wait: Swift.max(.zero, deadline - .now),
                attempt: attempt
            )
            if messages.isEmpty { return [] }
            let found = try await read(messages)
            let lost = messages.filter { message in !found.contains { $0.handle == message.handle } }
            if !lost.isEmpty { _ = try await client.delete(lost.map(\.handle)) }
            if !found.isEmpty || ContinuousClock.now >= deadline { return found.map(\.message) }
        }
    }

    /// Adds messages, in order, all or none; a result each.
    package func send(_ messages: [NewMessage]) async throws(QueueError) -> [SentMessage] {
        try await client.send(messages)
    }

    /// Deletes messages for good; an outcome each, nil for a text that is no handle of this queue.
    package func delete(_ handles: [String]) async throws(QueueError) -> [QueueState.HandleOutcome?] {
        let parsed = handles.map { QueueHandle(text: $0, key: queue.handleKey) }
        var outcomes = try await client.delete(parsed.compactMap(\.self))[...]
        return parsed.map { $0 == nil ? nil : outcomes.popFirst() }
    }

    /// Sets when messages are visible again; outcomes as those of `delete`.
    package func changeVisibility(
        _ changes: [(handle: String, timeout: Duration)]
    ) async throws(QueueError) -> [QueueState.HandleOutcome?] {
        let parsed = changes.map { change in
            QueueHandle(text: change.handle, key: queue.handleKey).map { handle in
                VisibilityChange(handle: handle, timeout: change.timeout)
            }
        }
        var outcomes = try await client.changeVisibility(parsed.compactMap(\.self))[...]
        return parsed.map { $0 == nil ? nil : outcomes.popFirst() }
    }

    package func counts() async throws(QueueError) -> QueueCounts { try await client.counts() }

    func refresh() { client.refresh() }

    // MARK: - Bodies

    private typealias Found = (handle: QueueHandle, message: ReceivedMessage)

    /// A row of `queue_messages`.
    private struct Row {
        let messageID: String
        let groupID: String?
        let deduplicationID: String?
        let body: String?
        let attributes: [UInt8]?
        let eventPosition: Int64?
        let replay: Int32?
        let senderKeyID: String?
        let sentAt: Timestamp
        let deadIn: String?
    }

    private func read(_ messages: [QueueMessage]) async throws(QueueError) -> [Found] {
        let own = messages.filter { holdsOwnMessages($0.handle.source) }.map(\.position)
        let events = messages.filter { !holdsOwnMessages($0.handle.source) }.map(\.position)
        let id = queue.id
        let rows: [Int64: Row]
        let found: [Int64: RecordedEvent]
        do {
            (rows, found) = try await log.readers.withConnection { session in
                let rows = own.isEmpty ? [:] : try Self.readRows(session, queue: id, own)
                let wanted = events + rows.values.compactMap(\.eventPosition)
                return (rows, wanted.isEmpty ? [:] : try Self.readEvents(session, wanted))
            }
        } catch {
            throw .unavailable
        }
        return messages.compactMap { message in
            guard holdsOwnMessages(message.handle.source) else {
                return found[message.position].map { (message.handle, self.message(message, event: $0)) }
            }
            guard let row = rows[message.position] else { return nil }
            return self.message(message, row: row, event: row.eventPosition.flatMap { found[$0] })
                .map { (message.handle, $0) }
        }
    }

    private func holdsOwnMessages(_ source: Int32) -> Bool {
        source == MessageSource.moved || (source == MessageSource.main && queue.settings.events == nil)
    }

    private static func readRows(
        _ session: Session,
        queue: Int16,
        _ numbers: [Int64]
    ) throws(PostgresError) -> [Int64: Row] {
        var rows: [Int64: Row] = [:]
        for row in try session.query(Statements.readMessages, Parameters().int16(queue).int64Array(numbers)) {
            let (high, low) = try row.uuid(1)
            rows[try row.int64(0)] = Row(
                messageID: UUIDv7(high: high, low: low).description,
                groupID: try row.optionalText(2),
                deduplicationID: try row.optionalText(3),
                body: try row.optionalText(4),
                attributes: try row.optionalBytes(5),
                eventPosition: try row.optionalInt64(6),
                replay: try row.optionalInt32(7),
                senderKeyID: try row.optionalText(8),
                sentAt: Timestamp(microseconds: try row.timestamp(9)),
                deadIn: try row.optionalText(10)
            )
        }
        return rows
    }

    private static func readEvents(
        _ session: Session,
        _ positions: [Int64]
    ) throws(PostgresError) -> [Int64: RecordedEvent] {
        var events: [Int64: RecordedEvent] = [:]
        for row in try session.query(Statements.readMessageEvents, Parameters().int64Array(positions)) {
            let event = try RecordedEvent(row)
            events[event.position] = event
        }
        return events
    }

    private func message(_ message: QueueMessage, event: RecordedEvent) -> ReceivedMessage {
        let (source, position) = (message.handle.source, message.position)
        return ReceivedMessage(
            messageID: MessageIdentity.messageID(source: source, position: position, of: log.identity.source)
                .description,
            receiptHandle: message.handle.text(key: queue.handleKey),
            body: json(event, replay: message.isReplay),
            attributes: nil,
            groupID: Self.group(of: event),
            deduplicationID: message.isReplay ? "replay-\(source)-\(position)" : String(position),
            sequenceNumber: MessageIdentity.sequenceNumber(source: source, position: position),
            receiveCount: message.receiveCount,
            firstReceivedAt: Timestamp(microseconds: message.firstReceivedAt),
            sentAt: event.recordedAt,
            senderKeyID: Self.eventSender,
            traceparent: event.trace?.description,
            deadLetterSource: nil
        )
    }

    /// Nil when its event is no more.
    private func message(_ message: QueueMessage, row: Row, event: RecordedEvent?) -> ReceivedMessage? {
        let event = row.eventPosition == nil ? nil : event
        guard let body = row.body ?? event.map({ json($0, replay: row.replay != nil) }) else { return nil }
        let deduplicationID = event.map { event in
            row.replay.map { "replay-\($0)-\(event.position)" } ?? String(event.position)
        }
        return ReceivedMessage(
            messageID: row.messageID,
            receiptHandle: message.handle.text(key: queue.handleKey),
            body: body,
            attributes: row.attributes,
            groupID: row.groupID ?? event.map(Self.group),
            deduplicationID: row.deduplicationID ?? deduplicationID,
            sequenceNumber: MessageIdentity.sequenceNumber(source: message.handle.source, position: message.position),
            receiveCount: message.receiveCount,
            firstReceivedAt: Timestamp(microseconds: message.firstReceivedAt),
            sentAt: row.sentAt,
            senderKeyID: row.senderKeyID ?? Self.eventSender,
            traceparent: event?.trace?.description,
            deadLetterSource: row.deadIn
        )
    }

    private func json(_ event: RecordedEvent, replay: Bool) -> String {
        String(decoding: CloudEvent.json(event, log.identity, replay: replay), as: UTF8.self)
    }

    private static let eventSender = "rastro"

    private static func group(of event: RecordedEvent) -> String { event.productID.map { String($0) } ?? "log" }
}
