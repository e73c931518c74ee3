import Catalog
import Testing

@Suite struct EventDataTests {
    private let desk = Product(
        id: .number(5),
        fields: ProductFields(code: "COD5", name: "Desk", model: "D-1", price: Price(decimal: "19.90")!),
        version: 3,
        createdAt: Timestamp(rfc3339: "2026-11-24T03:06:03.123456Z")!,
        updatedAt: Timestamp(rfc3339: "2026-11-24T04:00:00Z")!
    )

    @Test("a product is written in the contract's order, absent optionals as null")
    func product() {
        let expected =
            #"{"id":5,"code":"COD5","name":"Desk","model":"D-1","price":19.9,"url":null,"expiresAt":null,"version":3,"#
            + #""createdAt":"2026-11-24T03:06:03.123456Z","updatedAt":"2026-11-24T04:00:00.000000Z"}"#
        #expect(String(decoding: desk.encode(), as: UTF8.self) == expected)
        #expect(EventData.created(desk).encode() == desk.encode())
        #expect(EventData.deleted(desk).encode() == desk.encode())
    }

    @Test("an update holds old and new values in field order")
    func update() {
        var changed = desk
        changed.fields.price = Price(decimal: "17.9")!
        let price = #"{"price":{"from":19.9,"to":17.9}}"#
        #expect(text(Diff.changes(from: desk, to: changed)) == price)
        changed.fields = ProductFields(
            code: "\"",
            name: "n",
            model: "",
            price: .zero,
            url: "http://a",
            expiresAt: Timestamp(microseconds: 0)
        )
        let all =
            #"{"code":{"from":"COD5","to":"\""},"name":{"from":"Desk","to":"n"},"model":{"from":"D-1","to":""},"#
            + #""price":{"from":19.9,"to":0},"url":{"from":null,"to":"http://a"},"#
            + #""expiresAt":{"from":null,"to":"1970-01-01T00:00:00.000000Z"}}"#
        #expect(text(Diff.changes(from: desk, to: changed)) == all)
        #expect(Diff.changes(from: desk, to: desk).isEmpty)
    }

    @Test("what is encoded decodes to the same value and encodes to the same bytes", arguments: 1...30)
    func roundTrip(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let fields = random.fields()
            let product = Product(
                id: .number(Int64(random.number(1...Int(ProductID.largest)))),
                fields: fields,
                version: Int64(random.number(1...1_000_000)),
                createdAt: random.time(),
                updatedAt: random.time()
            )
            let changes = FieldChange.between(fields, random.fields())
            let samples: [(EventType, EventData)] = [
                (.created, .created(product)), (.deleted, .deleted(product)), (.expired, .deleted(product)),
                (.updated, .updated(changes)),
            ]
            for (type, data) in samples {
                let bytes = data.encode()
                let decoded = try EventData.decode(type: type, bytes: bytes)
                #expect(decoded == data, "seed \(seed)")
                #expect(decoded.encode() == bytes, "seed \(seed)")
            }
        }
    }

    @Test("a product that lacks, doubles or adds a member is refused")
    func productMembers() throws {
        guard case .object(let members) = try JSONParser.parse(desk.encode()) else { return }
        for index in members.indices {
            var fewer = members
            fewer.remove(at: index)
            #expect(throws: EventDataError.self) { try decode(.created, .object(fewer)) }
            var wrong = members
            wrong[index] = JSONMember(key: members[index].key, value: .bool(true))
            #expect(throws: EventDataError.wrongMember("/\(wrong[index].key)")) {
                try decode(.created, .object(wrong))
            }
        }
        let more = members + [JSONMember(key: "colour", value: .null)]
        #expect(throws: EventDataError.wrongMember("")) { try decode(.deleted, .object(more)) }
        #expect(try decode(.created, .object(members.reversed())) == .created(desk))
    }

    @Test(
        "an update that says nothing, or nothing sensible, is refused",
        arguments: [
            "{}", "[]", #"{"id":{"from":1,"to":2}}"#, #"{"price":{"from":1}}"#, #"{"price":{"from":1,"to":1}}"#,
            #"{"price":{"from":1,"to":1.0}}"#,
            #"{"price":{"from":null,"to":1}}"#, #"{"price":{"from":1,"to":2,"x":3}}"#,
            #"{"code":{"from":null,"to":"a"}}"#, #"{"url":{"from":1,"to":null}}"#, #"{"price":2}"#, "{",
            #"{"expiresAt":{"from":null,"to":"soon"}}"#,
        ]
    )
    func badUpdates(text: String) {
        #expect(throws: EventDataError.self) { try EventData.decode(type: .updated, bytes: text.utf8) }
    }

    @Test("data of a newer schema, or of a type without product data, is not guessed at")
    func refusals() {
        #expect(throws: EventDataError.unknownSchema(2)) {
            try EventData.decode(type: .created, schema: 2, bytes: desk.encode())
        }
        for type in EventType.allCases where !type.isChange {
            #expect(throws: EventDataError.noProductData(type)) { try EventData.decode(type: type, bytes: "{}".utf8) }
        }
    }

    private func decode(_ type: EventType, _ value: JSONValue) throws -> EventData {
        var writer = JSONWriter()
        writer.value(value)
        return try EventData.decode(type: type, bytes: writer.bytes)
    }

    private func text(_ changes: [FieldChange]) -> String {
        String(decoding: EventData.updated(changes).encode(), as: UTF8.self)
    }
}
