import Catalog

/// What a relay delivers: the log as it grows, or a range of it once more.
struct RelaySource: Sendable {
    /// 0: the log as it grows; else a replay.
    let number: Int32
    let range: ReplayRange?
    let selection: EventSelection
    var state: RelayState<OutgoingEvent>

    static let live: Int32 = 0
    /// Positions that one statement looks at, so that a rare type costs no long one.
    static let span: Int64 = 20_000

    /// Up to where there is something to look at.
    func end(of log: Int64) -> Int64 { range.map { min($0.to, log) } ?? log }

    /// A replay whose every event was accepted, skipped or parked: only an operator can end it.
    var waitsForOperator: Bool {
        guard let range else { return false }
        return state.scannedThrough >= range.to && state.isDrained && !state.parked.isEmpty
    }

    /// A replay whose every event was accepted or skipped.
    var isFinished: Bool {
        guard let range else { return false }
        return state.scannedThrough >= range.to && state.isDrained && state.parked.isEmpty
    }

    var types: [Int16] { range?.types ?? selection.types.map(\.rawValue) }

    var products: [Int64] {
        guard let range else { return selection.products }
        return range.product.map { [$0] } ?? []
    }
}
