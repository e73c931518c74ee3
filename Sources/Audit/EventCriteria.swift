import Catalog
import EventLog
import LibPQ

/// A filter as the statements take it: in the log's own numbers. Nil filters nothing.
struct EventCriteria: Sendable {
    let product: Int64?
    let users: [Int32]?
    let types: [Int16]?
    let clients: [Int32]?
    let vias: [Int16]?
    let actions: [String]?
    /// A request has either a label or an id of ours; a text that may be both is looked for as both.
    let label: String?
    let request: UUIDv7?

    init(_ filter: EventFilter, _ numbers: FilterNumbers) {
        product = filter.productNumber
        users = filter.users.isEmpty ? nil : Set(filter.users.compactMap { numbers.users[$0] }).sorted()
        types = filter.wantedTypes?.map(\.rawValue)
        clients =
            filter.clients.isEmpty ? nil : Set(filter.clients.compactMap { numbers.clients[ExactText($0)] }).sorted()
        vias = filter.vias.isEmpty ? nil : filter.vias.map(\.rawValue)
        actions = filter.actions.isEmpty ? nil : filter.actions
        label = filter.request
        request = filter.request.flatMap(UUIDv7.init(text:))
    }

    /// Nobody whom the log knows is asked for.
    var isImpossible: Bool { users?.isEmpty == true || clients?.isEmpty == true }

    /// Whether only changes of products can pass.
    var wantsChangesOnly: Bool {
        types?.allSatisfy { EventType(rawValue: $0)?.isChange == true } ?? false
    }

    /// `$1` … `$8` of the scanning statements.
    var parameters: Parameters {
        Parameters()
            .int64(product).int32Array(users ?? []).int16Array(types ?? []).int32Array(clients ?? [])
            .int16Array(vias ?? []).textArray(actions ?? []).text(label).uuid(request.map { ($0.high, $0.low) })
    }
}

extension UUIDv7 {
    /// Reads `8-4-4-4-12` lower-case hex digits of version 7; nil for anything else.
    init?(text: String) {
        let digits = Array(text.utf8)
        guard digits.count == 36, [8, 13, 18, 23].allSatisfy({ digits[$0] == UInt8(ascii: "-") }) else { return nil }
        guard let bytes = Hexadecimal.decode(lowercase: digits.filter { $0 != UInt8(ascii: "-") }), bytes.count == 16
        else { return nil }
        let (high, low) = (Self.word(bytes[..<8]), Self.word(bytes[8...]))
        guard high >> 12 & 0xf == 7 else { return nil }
        self.init(high: high, low: low)
    }

    private static func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

    /// When it was made, to the millisecond.
    var madeAt: Timestamp { Timestamp(microseconds: Int64(high >> 16) * 1_000) }
}
