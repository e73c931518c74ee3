/// Where a queue's messages come from: the log as it grows, or a range of it that is delivered again.
struct MessageSource {
    /// 0: live messages; else the replay's number.
    let replay: Int32
    /// Nil: everything, without end.
    let range: ReplayRange?
    var state: QueueState
    /// How far the log was looked at; ahead of `state.scannedThrough` where a replay's filter passed events over.
    private(set) var lookedThrough: Int64

    static let live: Int32 = 0
    /// How far a replay looks at a time, so that a rare type costs no long statement.
    private static let stride: Int64 = 50_000

    init(replay: Int32, range: ReplayRange?, state: QueueState) {
        self.replay = replay
        self.range = range
        self.state = state
        lookedThrough = state.scannedThrough
    }

    /// The next positions to look at, (after, through]; nil when there is no reason to.
    var nextScan: (after: Int64, through: Int64)? {
        guard state.wantsScan else { return nil }
        guard let range else { return (lookedThrough, .max) }
        guard lookedThrough < range.to else { return nil }
        let end = range.product == nil ? min(range.to, lookedThrough + Self.stride) : range.to
        return (lookedThrough, end)
    }

    /// Takes the result of a scan through `through`; `isWhole` when it was not cut off by its row limit.
    mutating func scanned(_ messages: [(position: Int64, group: Int64)], through: Int64, isWhole: Bool) {
        for message in messages { state.scanned(position: message.position, group: message.group) }
        if range != nil, isWhole {
            lookedThrough = through
        } else if let last = messages.last {
            lookedThrough = last.position
        }
    }

    /// A replay whose every message was deleted.
    var isFinished: Bool {
        guard let range else { return false }
        let counts = state.counts
        return lookedThrough >= range.to && counts.waiting == 0 && counts.handedOut == 0 && !state.wantsRefills
    }
}

/// What a replay delivers.
package struct ReplayRange: Sendable, Hashable {
    package let from: Int64
    package let to: Int64
    /// Only this product's events.
    package let product: Int64?
    /// Only events of these types; none for all.
    package let types: [Int16]

    package init(from: Int64, to: Int64, product: Int64?, types: [Int16]) {
        self.from = from
        self.to = to
        self.product = product
        self.types = types
    }
}
