package import Catalog
package import EventLog
import LibPQ
import Synchronization

/// Adding, pausing and removing destinations, and what becomes of parked events: each an OPERATED event in the act's own
/// transaction.
package struct DestinationAdministration: Sendable {
    private let log: EventLog
    private let context: RequestContext

    package init(log: EventLog, context: RequestContext) {
        self.log = log
        self.context = context
    }

    /// Adds a destination that gets the events after `after`, by default those to come; its cursor, or nil when the name
    /// is taken.
    package func add(
        name: String,
        kind: DestinationDescription.Kind,
        configuration: JSONValue,
        types: [EventType],
        products: [Int64],
        after: Int64?
    ) async throws(CommitError) -> Int64? {
        var writer = JSONWriter()
        writer.value(configuration)
        let text = writer.bytes
        let added = Atomic<Int64>(-1)
        let act = Act { session, context in
            let parameters = Parameters()
                .text(name).text(kind.rawValue).json(bytes: text).int16Array(types.map(\.rawValue)).int64Array(products)
                .int64(after).timestamp(microsecondsSinceEpoch: context.recordedAt().microseconds)
            guard let row = try session.query(Statements.insertDestination, parameters).first else { return nil }
            let cursor = try row.int64(1)
            added.store(cursor, ordering: .relaxed)
            var data = Self.changed(name, "added")
            data.add("kind", kind.rawValue)
            data.add("after", cursor)
            if !types.isEmpty { data.add("types", types.map(\.name)) }
            if !products.isEmpty { data.add("products", products.map { String($0) }) }
            data.add("configuration", OperationData.digest(String(decoding: text, as: UTF8.self)))
            return data.bytes
        }
        let outcome = try await log.submit(.act(act), context: context)
        return outcome.position == nil ? nil : added.load(ordering: .relaxed)
    }

    /// Changes a destination: `change` gets it as it is and says in a word what it does. Its owner begins anew with it
    /// within a second; the cursor stays. Nothing is recorded when nothing changes.
    ///
    /// - Parameter kind: only a destination of this kind is meant; nil: any.
    /// - Returns: what it is now; nil when there is no such destination.
    package func change(
        _ name: String,
        kind: DestinationDescription.Kind? = nil,
        _ change: @escaping @Sendable (inout DestinationSettings) -> String
    ) async throws(CommitError) -> DestinationSettings? {
        let changed = Mutex<DestinationSettings?>(nil)
        let act = Act { session, _ in
            let rows = try session.query(Statements.lockDestination, Parameters().text(name))
            guard let row = rows.first else { return nil }
            let found = try DestinationDescription(id: row.int32(0), row, offset: 1, after: row.int64(6))
            guard kind == nil || found.kind == kind else { return nil }
            let before = DestinationSettings(found, isPaused: try row.bool(7))
            var after = before
            let word = change(&after)
            changed.withLock { $0 = after }
            guard after != before else { return nil }
            var writer = JSONWriter()
            writer.value(after.configuration)
            let parameters = Parameters()
                .int32(found.id).json(bytes: writer.bytes).int16Array(after.types.map(\.rawValue))
                .int64Array(after.products).bool(after.isPaused)
            _ = try session.query(Statements.changeDestination, parameters)
            return Self.changed(name, word, from: before, to: after).bytes
        }
        _ = try await log.submit(.act(act), context: context)
        return changed.withLock(\.self)
    }

    private static func changed(
        _ name: String,
        _ word: String,
        from before: DestinationSettings,
        to after: DestinationSettings
    ) -> OperationData {
        var data = changed(name, word)
        if after.types != before.types { data.add("types", after.types.map(\.name)) }
        if after.products != before.products { data.add("products", after.products.map { String($0) }) }
        if after.isPaused != before.isPaused { data.add("paused", after.isPaused ? "true" : "false") }
        if after.configuration != before.configuration {
            var writer = JSONWriter()
            writer.value(after.configuration)
            data.add("configuration", OperationData.digest(String(decoding: writer.bytes, as: UTF8.self)))
        }
        return data
    }

    /// False when there is no such destination, or it is so already.
    package func pause(_ name: String, _ isPaused: Bool) async throws(CommitError) -> Bool {
        let act = Act { session, _ in
            let rows = try session.query(Statements.pauseDestination, Parameters().text(name).bool(isPaused))
            return rows.isEmpty ? nil : Self.changed(name, isPaused ? "paused" : "resumed").bytes
        }
        return try await log.submit(.act(act), context: context).position != nil
    }

    /// False when there is no such destination.
    ///
    /// - Parameter kind: only a destination of this kind is meant; nil: any.
    package func remove(_ name: String, kind: DestinationDescription.Kind? = nil) async throws(CommitError) -> Bool {
        let act = Act { session, context in
            let parameters = Parameters().text(name)
                .timestamp(microsecondsSinceEpoch: context.recordedAt().microseconds).text(kind?.rawValue)
            guard let row = try session.query(Statements.removeDestination, parameters).first else { return nil }
            var data = Self.changed(name, "removed")
            data.add("cursor", try row.int64(0))
            return data.bytes
        }
        return try await log.submit(.act(act), context: context).position != nil
    }

    private static func changed(_ name: String, _ change: String) -> OperationData {
        var data = OperationData(action: "destination.changed")
        data.add("destination", name)
        data.add("change", change)
        return data
    }

    /// Has a parked event sent again, and its product's later ones after it; false when it is not parked there.
    package func retry(_ position: Int64, at destination: String, reason: String?) async throws(CommitError) -> Bool {
        try await release(position, at: destination, action: "event.retried", skips: false, reason: reason)
    }

    /// Gives a parked event up, and has its product's later ones sent; false when it is not parked there.
    package func skip(_ position: Int64, at destination: String, reason: String) async throws(CommitError) -> Bool {
        try await release(position, at: destination, action: "event.skipped", skips: true, reason: reason)
    }

    private func release(
        _ position: Int64,
        at destination: String,
        action: String,
        skips: Bool,
        reason: String?
    ) async throws(CommitError) -> Bool {
        let act = Act { session, _ in
            let parameters = Parameters().text(destination).int64(position).bool(skips)
            guard let row = try session.query(Statements.releaseParked, parameters).first else { return nil }
            var data = OperationData(action: action)
            data.add("destination", destination)
            data.add("position", position)
            let (replay, product) = (try row.int32(0), try row.int64(1))
            if replay != 0 { data.add("replay", Int64(replay)) }
            if product != 0 { data.add("product", product) }
            if let reason { data.add("reason", reason) }
            return data.bytes
        }
        return try await log.submit(.act(act), context: context).position != nil
    }
}
