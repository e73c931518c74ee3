import Catalog
package import EventLog
import LibPQ

/// Acts on queues: each an OPERATED event in the act's own transaction.
extension QueueDirectory {
    /// At most so many queues.
    private static let queueLimit = 1_000

    /// Makes a queue. Asked again with the same settings, answers the queue that is there.
    package func create(
        _ name: String,
        _ settings: QueueSettings,
        tags: [String: String],
        context: RequestContext
    ) async throws(QueueDirectoryError) -> QueueDescription {
        if let found = try await existing(name) { return try found.matching(settings) }
        try await checkDeadLetterQueue(settings, of: name)
        guard try await list(prefix: "", after: nil, limit: Self.queueLimit).count < Self.queueLimit else {
            throw .tooManyQueues
        }
        let act = Act { session, context in
            let parameters = Self.parameters(name, settings, tags: tags, at: context.recordedAt())
            guard try !session.query(Statements.createQueue, parameters).isEmpty else { return nil }
            var data = OperationData(action: "queue.created")
            data.add("queue", name)
            data.add(settings)
            return data.bytes
        }
        _ = try await submit(act, context)
        forget(name)
        guard let made = try await existing(name) else { throw .noSuchQueue }
        return try made.matching(settings)
    }

    /// Sets a queue's attributes; what makes it another queue (FIFO or not, which events) stays.
    package func change(
        _ queue: QueueDescription,
        to settings: QueueSettings,
        context: RequestContext
    ) async throws(QueueDirectoryError) {
        guard settings != queue.settings else { return }
        try await checkDeadLetterQueue(settings, of: queue.name, isBuiltIn: queue.isBuiltIn)
        let act = Act { session, context in
            let parameters = Self.parameters(queue.id, settings, at: context.recordedAt())
            guard try !session.query(Statements.changeQueue, parameters).isEmpty else { return nil }
            var data = OperationData(action: "queue.changed")
            data.add("queue", queue.name)
            data.add(settings)
            return data.bytes
        }
        guard try await submit(act, context) else { throw .noSuchQueue }
        forget(queue.name)
        refresh(queue)
    }

    /// Ends a queue and its messages.
    package func delete(_ queue: QueueDescription, context: RequestContext) async throws(QueueDirectoryError) {
        guard !queue.isBuiltIn else { throw .builtIn }
        let act = Act { session, context in
            let parameters = Parameters().int16(queue.id)
                .timestamp(microsecondsSinceEpoch: context.recordedAt().microseconds)
            guard try !session.query(Statements.deleteQueue, parameters).isEmpty else { return nil }
            var data = OperationData(action: "queue.deleted")
            data.add("queue", queue.name)
            return data.bytes
        }
        guard try await submit(act, context) else { throw .noSuchQueue }
        forget(queue.name)
        refresh(queue)
    }

    /// Forgets all of a queue's messages; not those that the built-in consumer has not counted yet.
    package func purge(_ queue: QueueDescription, context: RequestContext) async throws(QueueDirectoryError) {
        guard queue.id != QueueReference.productActivity.id else { throw .builtIn }
        let act = Act { session, _ in
            guard try !session.query(Statements.purgeQueue, Parameters().int16(queue.id)).isEmpty else { return nil }
            var data = OperationData(action: "queue.purged")
            data.add("queue", queue.name)
            return data.bytes
        }
        guard try await submit(act, context) else { throw .purgeInProgress }
        refresh(queue)
    }

    /// Sets and removes tags.
    package func tag(
        _ queue: QueueDescription,
        set: [String: String],
        remove: [String],
        context: RequestContext
    ) async throws(QueueDirectoryError) {
        let act = Act { session, _ in
            let parameters = Parameters().int16(queue.id).text(QueueDescription.text(ofTags: set)).textArray(remove)
            guard try !session.query(Statements.tagQueue, parameters).isEmpty else { return nil }
            var data = OperationData(action: "queue.tagged")
            data.add("queue", queue.name)
            if !set.isEmpty { data.add("set", set.map { "\($0.key)=\($0.value)" }.sorted()) }
            if !remove.isEmpty { data.add("removed", remove) }
            return data.bytes
        }
        guard try await submit(act, context) else { throw .tooManyTags }
        forget(queue.name)
    }

    // MARK: - Moves

    /// Begins to move a dead-letter queue's messages; the queue's owner carries it out.
    ///
    /// - Parameters:
    ///   - target: nil: each goes back to where it died.
    ///   - reason: stands in the act's event.
    package func startMove(
        from queue: QueueDescription,
        to target: String?,
        perSecond: Int?,
        reason: String? = nil,
        context: RequestContext
    ) async throws(QueueDirectoryError) -> MoveTask {
        try await checkMove(from: queue, to: target)
        // Counted before the act, which nobody else may append to the log beside.
        let total = try await countMessages(of: queue)
        let act = Act { session, context in
            let parameters = Parameters().int16(queue.id).text(target).int32(perSecond.map { Int32($0) }).int64(total)
                .timestamp(microsecondsSinceEpoch: context.recordedAt().microseconds)
            guard try !session.query(Statements.startMove, parameters).isEmpty else { return nil }
            var data = OperationData(action: "queue.move-started")
            data.add("queue", queue.name)
            if let target { data.add("target", target) }
            if let perSecond { data.add("perSecond", Int64(perSecond)) }
            if let reason { data.add("reason", reason) }
            return data.bytes
        }
        guard try await submit(act, context) else { throw .moveInProgress }
        if ownsQueues, case .here(let endpoint) = try await route(to: queue) { endpoint.refresh() }
        guard let task = try await moves(of: queue, limit: 1).first else { throw .noSuchMove }
        return task
    }

    /// Only events that died in a queue over the log, or in one of Rastro's own, go there: the moves themselves are refused
    /// message by message; what cannot succeed at all is refused before it begins.
    private func checkMove(
        from queue: QueueDescription,
        to target: String?
    ) async throws(QueueDirectoryError) {
        guard queue.settings.events == nil else {
            throw .moveRefused("Events are not moved out of a queue over the log.")
        }
        guard let name = target else { return }
        let target = try await find(name)
        guard target.settings.events == nil && !target.isBuiltIn || target.settings.deadLetterQueue == queue.name else {
            throw .moveRefused("Only events that died in \(target.name) go there.")
        }
    }

    /// In short statements, each by key. O(messages).
    private func countMessages(of queue: QueueDescription) async throws(QueueDirectoryError) -> Int64 {
        var (total, after): (Int64, Int64?) = (0, 0)
        while let start = after {
            let parameters = Parameters().int16(queue.id).int64(start).int32(Self.countStride)
            let (count, last) = try await read { session in
                let row = try session.query(Statements.countMessages, parameters).only()
                return (try row.int64(0), try row.optionalInt64(1))
            }
            total += count
            after = count < Int64(Self.countStride) ? nil : last
        }
        return total
    }

    private static let countStride: Int32 = 100_000

    /// The queue's moves, the newest first.
    package func moves(of queue: QueueDescription, limit: Int) async throws(QueueDirectoryError) -> [MoveTask] {
        let parameters = Parameters().int16(queue.id).int32(Int32(limit))
        return try await read { session in
            try session.query(Statements.readMoves, parameters).map { row throws(PostgresError) in try MoveTask(row) }
        }
    }

    /// Ends a move; what was moved stays moved.
    package func cancelMove(_ number: Int32, context: RequestContext) async throws(QueueDirectoryError) {
        let act = Act { session, _ in
            let parameters = Parameters().int32(number).text(MoveTask.Status.cancelled.rawValue).text(nil)
            guard try !session.query(Statements.endMove, parameters).isEmpty else { return nil }
            var data = OperationData(action: "queue.move-cancelled")
            data.add("move", Int64(number))
            return data.bytes
        }
        guard try await submit(act, context) else { throw .noSuchMove }
    }

    // MARK: -

    private func existing(_ name: String) async throws(QueueDirectoryError) -> QueueDescription? {
        forget(name)
        do throws(QueueDirectoryError) { return try await find(name) } catch {
            if case .noSuchQueue = error { return nil }
            throw error
        }
    }

    /// A dead-letter queue exists, is of the same kind, and lets this queue use it.
    private func checkDeadLetterQueue(
        _ settings: QueueSettings,
        of name: String,
        isBuiltIn: Bool = false
    ) async throws(QueueDirectoryError) {
        guard let target = settings.deadLetterQueue else { return }
        guard let found = try await existing(target) else {
            throw .deadLetterQueueInvalid("the dead-letter queue '\(target)' does not exist")
        }
        guard target != name else { throw .deadLetterQueueInvalid("a queue cannot be its own dead-letter queue") }
        guard found.settings.isFIFO == settings.isFIFO else {
            throw .deadLetterQueueInvalid("a dead-letter queue must be of the same kind: FIFO or standard")
        }
        guard found.settings.events == nil else {
            throw .deadLetterQueueInvalid("a queue over the log cannot take dead letters")
        }
        guard isBuiltIn || !found.isBuiltIn else {
            throw .deadLetterQueueInvalid("'\(target)' takes dead letters of Rastro's own queues only")
        }
        let isAllowed =
            switch found.settings.redriveAllowed {
            case .all: true
            case .none: false
            case .from(let names): names.contains(name)
            }
        guard isAllowed else {
            throw .deadLetterQueueInvalid("the redrive permission of '\(target)' does not let this queue use it")
        }
    }

    /// False when it turned out that nothing changed.
    private func submit(_ act: Act, _ context: RequestContext) async throws(QueueDirectoryError) -> Bool {
        do { return try await log.submit(.act(act), context: context).position != nil } catch { throw .commit(error) }
    }

    private static func parameters(
        _ name: String,
        _ settings: QueueSettings,
        tags: [String: String],
        at time: Timestamp
    ) -> Parameters {
        let events = settings.events ?? EventSelection()
        return Parameters().text(name).bool(settings.isFIFO).bool(settings.events != nil)
            .int16Array(events.types.map(\.rawValue)).int64Array(events.products).int64(events.after)
            .int64(settings.visibilityTimeout.microseconds).int64(settings.delay.microseconds)
            .int64(settings.receiveWait.microseconds).int64(settings.retention.microseconds)
            .int32(Int32(settings.maximumMessageBytes)).text(settings.deadLetterQueue)
            .int32(settings.maxReceiveCount.map { Int32($0) }).textArray(orNull: settings.redriveAllowed.names)
            .bool(settings.hasContentBasedDeduplication).bool(settings.deduplicatesByGroup)
            .bool(settings.hasHighThroughput).text(QueueDescription.text(ofTags: tags))
            .timestamp(microsecondsSinceEpoch: time.microseconds)
    }

    private static func parameters(_ id: Int16, _ settings: QueueSettings, at time: Timestamp) -> Parameters {
        Parameters().int16(id)
            .int64(settings.visibilityTimeout.microseconds).int64(settings.delay.microseconds)
            .int64(settings.receiveWait.microseconds).int64(settings.retention.microseconds)
            .int32(Int32(settings.maximumMessageBytes)).text(settings.deadLetterQueue)
            .int32(settings.maxReceiveCount.map { Int32($0) }).textArray(orNull: settings.redriveAllowed.names)
            .bool(settings.hasContentBasedDeduplication).bool(settings.deduplicatesByGroup)
            .bool(settings.hasHighThroughput).timestamp(microsecondsSinceEpoch: time.microseconds)
    }
}

extension QueueDescription {
    /// Itself, if it is what was asked for. From which position it began may differ: that was a moment's answer.
    fileprivate func matching(_ wanted: QueueSettings) throws(QueueDirectoryError) -> QueueDescription {
        var wanted = wanted
        if let after = settings.events?.after { wanted.events?.after = after }
        guard wanted == settings else { throw .nameTaken }
        return self
    }
}

extension OperationData {
    fileprivate mutating func add(_ settings: QueueSettings) {
        add("fifo", settings.isFIFO ? "true" : "false")
        if let events = settings.events {
            add("afterPosition", events.after)
            if !events.types.isEmpty { add("types", events.types.map(\.name)) }
            if !events.products.isEmpty { add("products", events.products.map { String($0) }) }
        }
        add("visibilityTimeoutSeconds", settings.visibilityTimeout.components.seconds)
        add("retentionSeconds", settings.retention.components.seconds)
        if let target = settings.deadLetterQueue { add("deadLetterQueue", target) }
        if let count = settings.maxReceiveCount { add("maxReceiveCount", Int64(count)) }
    }
}
