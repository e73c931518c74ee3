package import LibPQ
package import Monitoring

/// How log, destinations and queues stand, as the database knows it: the same whichever process asks.
package struct DeliveryLevels: Sendable {
    struct Destination: Sendable {
        let name: String
        let lag: Int64
        /// In seconds, as all ages here; nil: nothing waits.
        let age: Double?
        let parked: Int64
        let parkedAge: Double?
        let held: Int64
        let hasOwner: Bool
        let isPaused: Bool
        let isFailing: Bool
    }

    struct Queue: Sendable {
        let name: String
        let hasOwner: Bool
        let behind: Int64
        let dead: Int64
        /// Of a queue without an owner, if it is known.
        let age: Double?
    }

    package let logEnd: Int64
    let destinations: [Destination]
    let queues: [Queue]

    /// Destinations, and queues, that are shown at most: the oldest.
    private static let limit: Int32 = 200

    /// One round trip; each statement ends after two seconds, finished or not.
    package static func read(_ session: Session) throws(PostgresError) -> DeliveryLevels {
        let results = try session.pipeline { pipeline in
            pipeline.begin()
            pipeline.add(Statements.limitStatementTime)
            pipeline.add(Statements.relayEnd)
            pipeline.add(Statements.destinationLevels, Parameters().int32(limit))
            pipeline.add(Statements.queueLevels, Parameters().int32(limit))
            pipeline.commit()
        }
        guard results.count == 4 else { throw PostgresError(code: .decoding, message: "levels lack an answer") }
        var (destinations, queues): ([Destination], [Queue]) = ([], [])
        for row in results[2] { destinations.append(try Destination(row)) }
        for row in results[3] { queues.append(try Queue(row)) }
        return DeliveryLevels(
            logEnd: try results[1].first?.int64(0) ?? 0,
            destinations: destinations,
            queues: queues
        )
    }

    /// - Parameter owned: the queues that this process owns; they tell their ages themselves.
    package func add(to exposition: inout Exposition, owned: [QueueLevel]) {
        for destination in destinations { destination.add(to: &exposition) }
        let names = Set(owned.map(\.name))
        for queue in queues {
            let isOwned = names.contains(queue.name)
            exposition.add(.queueOwned, [queue.name], isOwned)
            exposition.add(.queueHasOwner, [queue.name], queue.hasOwner)
            exposition.add(.queueBehind, [queue.name], queue.behind)
            exposition.add(.queueDead, [queue.name], queue.dead)
            if !isOwned, let age = queue.age { exposition.add(.queueAge, [queue.name], max(0, age)) }
        }
    }
}

extension DeliveryLevels.Destination {
    /// From the columns of `destination_levels`.
    init(_ row: Row) throws(PostgresError) {
        name = try row.text(0)
        lag = try row.int64(1)
        age = try row.optionalDouble(2)
        parked = try row.int64(3)
        parkedAge = try row.optionalDouble(4)
        held = try row.int64(5)
        hasOwner = try row.bool(6)
        isPaused = try row.bool(7)
        isFailing = try row.bool(8)
    }

    func add(to exposition: inout Exposition) {
        exposition.add(.destinationLag, [name], lag)
        // The log's time may be ahead of the clock.
        exposition.add(.destinationAge, [name], max(0, age ?? 0))
        exposition.add(.destinationParked, [name], parked)
        exposition.add(.destinationParkedAge, [name], max(0, parkedAge ?? 0))
        exposition.add(.destinationHeld, [name], held)
        exposition.add(.destinationHasOwner, [name], hasOwner)
        exposition.add(.destinationPaused, [name], isPaused)
        exposition.add(.destinationFailing, [name], isFailing)
    }
}

extension DeliveryLevels.Queue {
    /// From the columns of `queue_levels`.
    init(_ row: Row) throws(PostgresError) {
        name = try row.text(0)
        hasOwner = try row.bool(1)
        behind = try row.int64(2)
        dead = try row.int64(3)
        age = try row.optionalDouble(4)
    }
}
