import Catalog
import Testing

@Suite struct EvolveTests {
    private let five = ProductID.number(5)
    private let time = Timestamp(microseconds: 1_000)
    private var later: Timestamp { time.advanced(byMicroseconds: 1) }
    private let fields = ProductFields(code: "COD5", name: "Desk", price: .zero)
    private var first: Product { Product(id: five, fields: fields, version: 1, createdAt: time, updatedAt: time) }
    private let rename = [FieldChange.name(from: "Desk", to: "Table")]

    @Test("a product begins, changes, is seen and ends")
    func life() throws {
        var state = try evolve(.absent, ProductEvent.created(first).recorded(at: time))
        #expect(state == .live(first))
        state = try evolve(state, ProductEvent.updated(first, code: "COD5", changes: rename).recorded(at: later))
        var second = first
        (second.fields.name, second.version, second.updatedAt) = ("Table", 2, later)
        #expect(state == .live(second))
        #expect(try evolve(state, ProductEvent.fetched(second).recorded(at: later)) == state)
        for end in [ProductEvent.deleted(second), .expired(second)] {
            let ended = try evolve(state, end.recorded(at: later))
            #expect(ended == .deleted(last: second, version: 3))
        }
    }

    @Test("events that neither change nor show a product are skipped in every state")
    func skipped() throws {
        for state in [ProductState.absent, .live(first), .deleted(last: first, version: 2)] {
            for type in EventType.allCases where !type.isChange && type != .fetched {
                let event = RecordedProductEvent(
                    productID: five,
                    type: type,
                    version: nil,
                    code: nil,
                    data: nil,
                    recordedAt: time
                )
                #expect(try evolve(state, event) == state)
            }
        }
    }

    @Test("a creation is refused where the id was used, or when it does not fit its own data")
    func creation() {
        let event = ProductEvent.created(first).recorded(at: time)
        refuse(.live(first), event, .alreadyUsed)
        refuse(.deleted(last: first, version: 2), event, .alreadyUsed)
        refuse(.absent, event, .wrongProduct(expected: .number(6))) { $0.productID = .number(6) }
        refuse(.absent, event, .wrongVersion(expected: 1, found: 2)) { $0.version = 2 }
        refuse(.absent, event, .wrongVersion(expected: 1, found: nil)) { $0.version = nil }
        refuse(.absent, event, .wrongCode) { $0.code = "other" }
        refuse(.absent, event, .wrongTime) { $0.recordedAt = later }
        refuse(.absent, event, .wrongData) { $0.data = nil }
        refuse(.absent, event, .wrongData) { $0.data = .deleted(first) }
        var second = first
        second.version = 2
        refuse(.absent, event, .wrongVersion(expected: 1, found: 2)) { $0.data = .created(second) }
    }

    @Test("an update is refused when its old values, version, code or time are not the state's")
    func update() {
        let event = ProductEvent.updated(first, code: "COD5", changes: rename).recorded(at: later)
        let live = ProductState.live(first)
        refuse(.absent, event, .notLive)
        refuse(.deleted(last: first, version: 2), event, .notLive)
        refuse(live, event, .wrongProduct(expected: five)) { $0.productID = .number(6) }
        refuse(live, event, .wrongVersion(expected: 2, found: 3)) { $0.version = 3 }
        refuse(live, event, .wrongVersion(expected: 2, found: 1)) { $0.version = 1 }
        refuse(live, event, .wrongCode) { $0.code = "other" }
        refuse(live, event, .wrongTime) { $0.recordedAt = time.advanced(byMicroseconds: -1) }
        refuse(live, event, .wrongData) { $0.data = .updated([]) }
        refuse(live, event, .wrongData) { $0.data = nil }
        let wrong: [FieldChange] = [
            .code(from: "x", to: "y"), .name(from: "x", to: "y"), .model(from: "x", to: "y"),
            .price(from: Price(decimal: "1")!, to: .zero), .url(from: "http://a", to: nil),
            .expiresAt(from: time, to: nil), .name(from: "De\u{301}sk", to: "y"),
        ]
        for change in wrong {
            refuse(live, event, .wrongOldValue(change.field)) { $0.data = .updated([change]) }
        }
        refuse(live, event, .wrongOldValue(.name)) { $0.data = .updated(rename + rename) }
    }

    @Test("an end is refused when its last state, version, code or time are not the state's")
    func end() {
        var other = first
        other.fields.model = "x"
        for good in [ProductEvent.deleted(first), .expired(first)] {
            let event = good.recorded(at: later)
            refuse(.absent, event, .notLive)
            refuse(.deleted(last: first, version: 2), event, .notLive)
            refuse(.live(first), event, .wrongLastState) { $0.data = .deleted(other) }
            refuse(.live(first), event, .wrongData) { $0.data = .created(first) }
            refuse(.live(first), event, .wrongVersion(expected: 2, found: 1)) { $0.version = 1 }
            refuse(.live(first), event, .wrongCode) { $0.code = nil }
            refuse(.live(first), event, .wrongTime) { $0.recordedAt = Timestamp(microseconds: 0) }
        }
    }

    @Test("a fetch is refused when it saw what was not there")
    func fetch() {
        let event = ProductEvent.fetched(first).recorded(at: later)
        refuse(.absent, event, .notLive)
        refuse(.deleted(last: first, version: 2), event, .notLive)
        refuse(.live(first), event, .wrongVersion(expected: 1, found: 2)) { $0.version = 2 }
        refuse(.live(first), event, .wrongCode) { $0.code = "other" }
    }

    private func refuse(
        _ state: ProductState,
        _ event: RecordedProductEvent,
        _ fault: ReplayFault,
        location: SourceLocation = #_sourceLocation,
        edit: (inout RecordedProductEvent) -> Void = { _ in }
    ) {
        var event = event
        edit(&event)
        #expect(throws: fault, sourceLocation: location) { try evolve(state, event) }
    }
}
