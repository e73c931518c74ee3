import Audit
import Catalog
import EventLog
import Testing

/// Random logs and filters, and what a filter means, written down in the plainest way.
enum RandomHistory {
    static let users = ["ana", "ben", "cleo"]

    static func write(_ test: TestLog, using generator: inout SeededGenerator) async throws {
        var products: [ProductID] = []
        for number in 0..<120 {
            let user = users[generator.number(0...2)]
            guard let product = products.randomElement(using: &generator), !generator.once(in: 8) else {
                products.append(try await test.create("C\(number)", as: user).id)
                continue
            }
            switch generator.number(1...10) {
            case 1...2: try await test.patch(product, #"{"price": \#(generator.number(1...9))}"#, as: user)
            case 3: try await test.delete(product, as: user)
            case 4: _ = try await test.queries(user).productEvents(product)
            case 5:
                let context = try TestLog.context(user, via: .cli)
                let action = generator.once(in: 2) ? "key.created" : "key.revoked"
                let note = Note(type: .operated, data: Array(#"{"action":"\#(action)"}"#.utf8))
                _ = try await test.log.submit(.note(note), context: context)
            default: try await test.fetch(product, as: user)
            }
        }
    }

    static func filter(_ log: [RecordedEvent], using generator: inout SeededGenerator) -> EventFilter {
        var filter = EventFilter()
        if generator.once(in: 3) {
            filter.product = log.randomElement(using: &generator)?.productID.flatMap(ProductID.init)
        }
        if generator.once(in: 3) {
            let names = (users + ["nobody"]).shuffled(using: &generator).prefix(generator.number(1...3))
            filter.users = names.compactMap { UserID(any: $0) }
        }
        if generator.once(in: 3) {
            filter.types = Array(EventType.allCases.shuffled(using: &generator).prefix(generator.number(1...4)))
        } else if generator.once(in: 4) {
            filter.types = [.created, .updated]
        }
        if generator.once(in: 5) { filter.vias = [.get, .patch] }
        if generator.once(in: 6) { filter.actions = ["key.created"] }
        if generator.once(in: 8) { filter.clients = ["no-such-key"] }
        if generator.once(in: 4) { filter.from = bound(log, using: &generator) }
        if generator.once(in: 4) { filter.to = bound(log, using: &generator) }
        if generator.once(in: 2) { filter.order = .newestFirst }
        filter.includesQueries = generator.once(in: 3)
        return filter
    }

    static func model(_ log: [RecordedEvent], _ filter: EventFilter) -> [RecordedEvent] {
        let shown = log.filter { event in
            (filter.product == nil || filter.product?.rawValue == event.productID)
                && (filter.users.isEmpty || filter.users.contains { $0.description == event.userID })
                && (filter.types.isEmpty || filter.types.contains(event.type))
                && (event.type != .auditQueried || filter.includesQueries || filter.types.contains(.auditQueried))
                && (filter.clients.isEmpty || filter.clients.contains { $0 == event.clientID })
                && (filter.vias.isEmpty || filter.vias.contains(event.via))
                && (filter.actions.isEmpty || filter.actions.contains { event.dataText == #"{"action":"\#($0)"}"# })
                && (filter.from.map { !isBefore(event, $0) } ?? true) && (filter.to.map { isBefore(event, $0) } ?? true)
        }
        return filter.order == .oldestFirst ? shown : shown.reversed()
    }

    private static func isBefore(_ event: RecordedEvent, _ bound: LogBound) -> Bool {
        switch bound {
        case .time(let time): event.recordedAt < time
        case .position(let position): event.position < position
        }
    }

    private static func bound(_ log: [RecordedEvent], using generator: inout SeededGenerator) -> LogBound? {
        guard let event = log.randomElement(using: &generator) else { return nil }
        return generator.once(in: 2) ? .position(event.position) : .time(event.recordedAt)
    }
}
