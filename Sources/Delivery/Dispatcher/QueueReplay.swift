import Catalog
package import EventLog
package import LibPQ

/// Has a range of the log delivered to a queue again.
package struct QueueReplay {
    package struct Started: Sendable {
        package let number: Int32
        /// How many events the range holds.
        package let events: Int64
    }

    private let queue: QueueReference
    private let range: ReplayRange
    /// How many positions one statement counts over.
    private static let stride: Int64 = 100_000

    package init(queue: QueueReference, range: ReplayRange) {
        self.queue = queue
        self.range = range
    }

    /// How many events it delivers. O(range).
    package func count(_ session: Session, progress: (Int64) -> Void = { _ in }) throws(PostgresError) -> Int64 {
        var total: Int64 = 0
        var after = range.from - 1
        while after < range.to {
            let through = min(range.to, after + Self.stride)
            let parameters = Parameters().int64(after).int64(through).int64(range.product).int16Array(range.types)
            total += try session.query(Statements.countRange, parameters).only().int64(0)
            after = through
            progress(total)
        }
        return total
    }

    /// The act that starts it; the queue's owner finds it within a second. Its event says what was asked for.
    package var act: Act {
        Act { [queue, range] session, context in
            let parameters = Parameters()
                .text(queue.name).int64(range.from).int64(range.to).int64(range.product).int16Array(range.types)
                .timestamp(microsecondsSinceEpoch: context.recordedAt().microseconds)
            let number = try session.query(Statements.startReplay, parameters).only().int32(0)
            var data = OperationData(action: "replayed")
            data.add("destination", queue.name)
            data.add("replay", Int64(number))
            data.add("from", range.from)
            data.add("to", range.to)
            if let product = range.product { data.add("product", product) }
            let types = range.types.compactMap { EventType(rawValue: $0)?.name }
            if !types.isEmpty { data.add("types", types) }
            return data.bytes
        }
    }
}
