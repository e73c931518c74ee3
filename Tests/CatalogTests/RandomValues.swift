import Catalog

extension SeededGenerator {
    /// Text of the given length in scalars, from plain to awkward: quotes, controls, combining marks, emoji.
    mutating func text(_ length: ClosedRange<Int>) -> String {
        let awkward: [Unicode.Scalar] = [
            "\"", "\\", "/", "\u{1}", "\n", "\t", "\u{1f}", "\u{7f}", "é", "\u{301}", "ñ", "中", "\u{2028}", "😀",
            "\u{10ffff}",
        ]
        var text = String.UnicodeScalarView()
        for _ in 0..<number(length) {
            let plain = Unicode.Scalar(UInt8(number(0x61...0x7a)))
            text.append(once(in: 5) ? awkward[number(0...awkward.count - 1)] : plain)
        }
        return String(text)
    }

    mutating func price() -> Price {
        let bound = [9, 99_999, 19_990_000, Price.largest][number(0...3)]
        return Price(tenThousandths: Int64.random(in: 0...bound, using: &self)) ?? .zero
    }

    mutating func time() -> Timestamp {
        Timestamp(microseconds: Int64.random(in: 0...4_102_444_800_000_000, using: &self))
    }

    mutating func fields(code: String? = nil) -> ProductFields {
        ProductFields(
            code: code ?? text(1...64),
            name: text(1...200),
            model: text(0...20),
            price: price(),
            url: once(in: 2) ? "https://example.org/\(number(1...9))" : nil,
            expiresAt: once(in: 3) ? time() : nil
        )
    }

    /// `fields` with some of them changed; sometimes none.
    mutating func edited(_ fields: ProductFields) -> ProductFields {
        var edited = fields
        let other = self.fields()
        if once(in: 4) { edited.name = other.name }
        if once(in: 4) { edited.model = other.model }
        if once(in: 3) { edited.price = other.price }
        if once(in: 4) { edited.url = other.url }
        if once(in: 4) { edited.expiresAt = other.expiresAt }
        return edited
    }

    /// A document of bounded depth.
    mutating func json(depth: Int = 4) -> JSONValue {
        switch number(depth > 0 ? 0...7 : 2...7) {
        case 0:
            var keys: Set<ExactText> = []
            for _ in 0..<number(0...(once(in: 20) ? 40 : 4)) { keys.insert(ExactText(text(0...6))) }
            return .object(keys.sorted().map { JSONMember(key: $0.text, value: json(depth: depth - 1)) })
        case 1: return .array((0..<number(0...4)).map { _ in json(depth: depth - 1) })
        case 2: return .bool(once(in: 2))
        case 3: return .null
        case 4: return .number(["0", "-0", "12", "1.50", "1e5", "-2.5E-3", "1E+400"][number(0...6)])
        case 5: return .string(text(0...3) + "\0")
        default: return .string(text(0...20))
        }
    }
}

extension Price {
    static let zero = Price(decimal: "0")!
}

extension ProductID {
    /// A literal's id.
    static func number(_ value: Int64) -> ProductID { ProductID(value)! }
}
