import Catalog
import Testing

/// Random histories: what was decided, replayed through its stored bytes, against a model that knows nothing of events.
@Suite struct HistoryTests {
    @Test(
        "evolve after decide is what was asked for, and replay of the stored bytes is the live state",
        arguments: 1...40
    )
    func replayEqualsModel(seed: UInt64) throws {
        var run = Run(seed: seed)
        for _ in 0..<200 { try run.step() }
        let replayed = try Self.replay(run.log)
        for (id, state) in run.states { #expect(replayed[id] == state, "seed \(seed), product \(id)") }
        #expect(replayed.count == run.states.count, "seed \(seed)")
        for (id, model) in run.model.products {
            switch (model, replayed[id]) {
            case (.live(let fields, let version), .live(let product)):
                #expect(product.fields == fields, "seed \(seed), product \(id)")
                #expect(product.version == version, "seed \(seed), product \(id)")
            case (.gone(let version), .deleted(_, let found)):
                #expect(found == version, "seed \(seed), product \(id)")
            default:
                Issue.record("seed \(seed), product \(id): model \(model), replay \(String(describing: replayed[id]))")
            }
        }
    }

    @Test("a history with one event damaged, dropped, doubled or moved is refused", arguments: 1...40)
    func corruption(seed: UInt64) throws {
        var run = Run(seed: seed)
        for _ in 0..<120 { try run.step() }
        var random = SeededGenerator(seed: seed &+ 1_000)
        for index in run.log.indices where run.log[index].type.isChange {
            let event = run.log[index]
            let isLast = !run.log[(index + 1)...].contains { $0.productID == event.productID }
            var version = run.log
            version[index].version = event.version.map { $0 + Int64(random.once(in: 2) ? 1 : -1) }
            Self.expectRefused(version, "seed \(seed), version of event \(index)")
            var doubled = run.log
            doubled.insert(event, at: index + 1)
            Self.expectRefused(doubled, "seed \(seed), event \(index) doubled")
            // The last event of a product leaves no trace in what follows: the log's gapless positions guard it.
            if !isLast {
                var dropped = run.log
                dropped.remove(at: index)
                Self.expectRefused(dropped, "seed \(seed), event \(index) dropped")
            }
            if let damaged = Self.damaged(event) {
                var old = run.log
                old[index] = damaged
                Self.expectRefused(old, "seed \(seed), old value of event \(index)")
            }
        }
    }

    @Test("every command on every state either is refused or makes one event that fits", arguments: 1...10)
    func total(seed: UInt64) throws {
        var run = Run(seed: seed)
        for _ in 0..<300 {
            let command = run.command()
            let state = run.states[command.productID] ?? .absent
            guard let events = try? decide(command, state: state, codeHolder: { _ in nil }, at: run.now) else {
                continue
            }
            #expect(events.count == 1, "seed \(seed)")
            for event in events { _ = try evolve(state, event.recorded(at: run.now)) }
            try run.step()
        }
    }

    static func replay(_ log: [RecordedProductEvent]) throws -> [ProductID: ProductState] {
        var states: [ProductID: ProductState] = [:]
        for event in log {
            var read = event
            if let data = event.data { read.data = try EventData.decode(type: event.type, bytes: data.encode()) }
            states[event.productID] = try evolve(states[event.productID] ?? .absent, read)
        }
        return states
    }

    private static func expectRefused(_ log: [RecordedProductEvent], _ what: String) {
        #expect(throws: (any Error).self, "\(what)") { try replay(log) }
    }

    /// The event with an old value, or the last state, that the product never had.
    private static func damaged(_ event: RecordedProductEvent) -> RecordedProductEvent? {
        var damaged = event
        switch event.data {
        case .deleted(var product):
            product.fields.model += "x"
            damaged.data = .deleted(product)
        case .updated(var changes):
            switch changes[0] {
            case .code(let old, let new): changes[0] = .code(from: old + "x", to: new + "xx")
            case .name(let old, let new): changes[0] = .name(from: old + "x", to: new + "xx")
            case .model(let old, let new): changes[0] = .model(from: old + "x", to: new + "xx")
            case .price(let old, let new):
                let off = [1, 2].compactMap { Price(tenThousandths: (old.tenThousandths + $0) % Price.largest) }
                changes[0] = .price(from: off.first { $0 != new } ?? old, to: new)
            case .url(let old, let new): changes[0] = .url(from: (old ?? "") + "x", to: new)
            case .expiresAt(let old, let new):
                changes[0] = .expiresAt(from: (old ?? .init(microseconds: -9)).advanced(byMicroseconds: 1), to: new)
            }
            damaged.data = .updated(changes)
        case .created, nil:
            return nil
        }
        return damaged
    }
}

/// One random history under way.
private struct Run {
    private(set) var random: SeededGenerator
    private(set) var states: [ProductID: ProductState] = [:]
    private(set) var log: [RecordedProductEvent] = []
    private(set) var model = Model()
    private(set) var now = Timestamp(microseconds: 1_700_000_000_000_000)
    private let seed: UInt64

    init(seed: UInt64) {
        self.seed = seed
        random = SeededGenerator(seed: seed)
    }

    mutating func step() throws {
        let command = command()
        let id = command.productID
        let state = states[id] ?? .absent
        let expected = model.judge(command)
        do {
            let events = try decide(command, state: state, codeHolder: { model.holder(of: $0) }, at: now)
            #expect(expected == nil, "seed \(seed): \(command)")
            for event in events {
                log.append(event.recorded(at: now))
                states[id] = try evolve(state, event.recorded(at: now))
            }
            model.apply(command)
        } catch let rejection as Rejection {
            #expect(rejection == expected, "seed \(seed): \(command)")
        }
        now = now.advanced(byMicroseconds: Int64(random.number(1...5_000)))
    }

    mutating func command() -> Command {
        let id = ProductID.number(Int64(random.number(1...8)))
        let code = "c\(random.number(1...5))"
        do {
            switch random.number(0...9) {
            case 0...2:
                let named = random.once(in: 2) ? id : nil
                return .create(try NewProduct(id: named, fields: random.fields(code: code)), assignedID: id)
            case 3...4:
                return .replace(id, try Replacement(fields: edited(id, code)), precondition())
            case 5...7:
                return .patch(id, try patch(id, code), precondition())
            case 8:
                return .delete(id, precondition())
            default:
                return .fetch(id)
            }
        } catch {
            Issue.record("seed \(seed): \(error)")
            return .fetch(id)
        }
    }

    private mutating func edited(_ id: ProductID, _ code: String) -> ProductFields {
        guard case .live(let product) = states[id] else { return random.fields(code: code) }
        var fields = random.edited(product.fields)
        if random.once(in: 3) { fields.code = code }
        return fields
    }

    private mutating func patch(_ id: ProductID, _ code: String) throws -> Patch {
        var writer = JSONWriter()
        let fields = edited(id, code)
        writer.beginObject()
        if random.once(in: 3) { writer.member("code", fields.code) }
        if random.once(in: 2) { writer.member("price", fields.price) }
        if random.once(in: 2) { writer.member("name", fields.name) }
        if random.once(in: 2) { writer.member("url", fields.url) }
        if random.once(in: 2) { writer.member("expiresAt", fields.expiresAt) }
        writer.endObject()
        return try Patch(json: JSONParser.parse(writer.bytes), id: id)
    }

    private mutating func precondition() -> Precondition {
        switch random.number(0...5) {
        case 0: .exists
        case 1: .versions(Set((0..<random.number(0...2)).map { _ in Int64(random.number(1...4)) }))
        default: .none
        }
    }
}

/// What a catalogue is, said without events.
private struct Model {
    enum Entry {
        case live(ProductFields, version: Int64)
        case gone(version: Int64)
    }

    private(set) var products: [ProductID: Entry] = [:]

    func holder(of code: String) -> ProductID? {
        products.first { _, entry in
            if case .live(let fields, _) = entry { fields.code.utf8.elementsEqual(code.utf8) } else { false }
        }?.key
    }

    /// Why a command must be refused; nil when it must not.
    func judge(_ command: Command) -> Rejection? {
        let id = command.productID
        if case .create(let new, _) = command {
            switch products[id] {
            case .live: return .idTaken(id)
            case .gone: return .idUsed(id)
            case nil: return holder(of: new.fields.code).map { .codeTaken(by: $0) }
            }
        }
        guard let entry = products[id] else { return .notFound(id) }
        guard case .live(let fields, let version) = entry else {
            guard case .gone(let version) = entry else { return nil }
            return .gone(id, version: version)
        }
        if case .versions(let wanted) = precondition(command), !wanted.contains(version) {
            return .preconditionFailed(current: version)
        }
        guard let holder = holder(of: result(command, fields).code), holder != id else { return nil }
        return .codeTaken(by: holder)
    }

    mutating func apply(_ command: Command) {
        let id = command.productID
        switch (command, products[id]) {
        case (.create(let new, _), _): products[id] = .live(new.fields, version: 1)
        case (.delete, .live(_, let version)): products[id] = .gone(version: version + 1)
        case (_, .live(let fields, let version)):
            let next = result(command, fields)
            products[id] = .live(next, version: next == fields ? version : version + 1)
        default: break
        }
    }

    private func precondition(_ command: Command) -> Precondition {
        switch command {
        case .replace(_, _, let precondition), .patch(_, _, let precondition), .delete(_, let precondition):
            precondition
        case .create, .fetch, .expire: .none
        }
    }

    private func result(_ command: Command, _ fields: ProductFields) -> ProductFields {
        switch command {
        case .replace(_, let replacement, _): replacement.fields
        case .patch(_, let patch, _): patch.applied(to: fields)
        default: fields
        }
    }
}
