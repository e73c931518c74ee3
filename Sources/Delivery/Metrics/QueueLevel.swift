import EventLog
import LibPQ
package import Monitoring

/// How a queue stands, as its owner knows it.
package struct QueueLevel: Sendable {
    package let name: String
    package let counts: QueueCounts
    /// Of the oldest message that is not deleted, in seconds; replays are not looked at.
    package let age: Double?

    package func add(to exposition: inout Exposition) {
        exposition.add(.queueVisible, [name], counts.visible)
        exposition.add(.queueInFlight, [name], counts.inFlight)
        exposition.add(.queueDelayed, [name], counts.delayed)
        exposition.add(.queueAge, [name], max(0, age ?? 0))
    }
}

extension QueueDispatcher {
    /// - Parameter counts: as just counted.
    func level(_ owned: Ownership, _ counts: QueueCounts) throws -> QueueLevel {
        var (position, number): (Int64?, Int64?)
        for source in owned.sources {
            switch source.kind {
            case .log: position = source.state.oldestOutstanding
            case .messages: number = source.state.oldestOutstanding
            case .replay: continue
            }
        }
        let parameters = Parameters().int16(queue.id).int64(position).int64(number)
        let age = try owned.session.query(Statements.oldestMessage, parameters).only().optionalDouble(0)
        return QueueLevel(name: queue.name, counts: counts, age: age)
    }
}

extension QueueState {
    /// The first message that is not deleted, among those at hand. O(groups).
    var oldestOutstanding: Int64? {
        groups.reduce(nil) { oldest, group in
            [oldest, group.handedOut.first?.position, group.firstUntouched].compactMap(\.self).min()
        }
    }
}

extension QueueDirectory {
    /// The queues that this process owns. Asks their dispatchers, each with two short statements at most; it waits as
    /// long as they do for the database.
    package func levels() async -> [QueueLevel] {
        await withTaskGroup(of: QueueLevel?.self) { group in
            for client in owned { group.addTask { try? await client.level() } }
            return await group.reduce(into: []) { levels, level in
                if let level { levels.append(level) }
            }
        }
    }
}
