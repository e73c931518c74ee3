import Catalog

/// Where a queue's messages come from.
struct MessageSource {
    enum Kind: Hashable {
        /// The log as it grows.
        case log(EventSelection)
        /// The queue's own messages: sent, dead-lettered, or moved here.
        case messages
        /// A range of the log that is delivered again.
        case replay(ReplayRange)
    }

    /// What to read next.
    enum Scan {
        case log(after: Int64)
        case selection(EventSelection, after: Int64, span: Int64)
        case messages(after: Int64)
        case replay(ReplayRange, after: Int64, through: Int64)
    }

    /// What a scan found.
    struct Found {
        let position: Int64
        let group: Int64
        /// `.min` without a delay.
        var visibleAt: Int64 = .min
    }

    /// `main`, `moved`, or a replay's number; names the source in the journal.
    let number: Int32
    let kind: Kind
    var state: QueueState
    /// How far the log was looked at.
    private(set) var lookedThrough: Int64
    /// Where a take-over would begin to look again, about: how far was looked when that was last written for its own sake.
    private var keptThrough: Int64
    /// The last look was as long as a look may be.
    private var wasCutShort = false
    /// The queue's own messages: some may have come since the last look.
    var isDue = true
    /// The newest message that was deleted: its row may still stand, since a queue's last row stays.
    private var lastRemoved: Int64?

    /// The log, or the messages of a queue without it.
    static let main: Int32 = 0
    /// Messages that were moved into a queue over the log.
    static let moved: Int32 = -1
    /// How many positions are looked at in one statement, so that a rare type costs no long one.
    private static let span: Int64 = 50_000
    /// A filter that found nothing in so many positions has it written down.
    private static let keepEvery: Int64 = 1_000_000

    init(number: Int32, kind: Kind, state: QueueState) {
        self.number = number
        self.kind = kind
        self.state = state
        lookedThrough = state.scannedThrough
        keptThrough = state.scannedThrough
    }

    /// Nil when there is no reason to look.
    var nextScan: Scan? {
        guard state.wantsScan else { return nil }
        switch kind {
        case .log(let selection):
            if selection.isWhole { return .log(after: lookedThrough) }
            return .selection(selection, after: lookedThrough, span: Self.span)
        case .messages:
            return isDue ? .messages(after: lookedThrough) : nil
        case .replay(let range):
            guard lookedThrough < range.to else { return nil }
            let end = range.product == nil ? min(range.to, lookedThrough + Self.span) : range.to
            return .replay(range, after: lookedThrough, through: end)
        }
    }

    /// Takes the result of a scan.
    ///
    /// - Parameters:
    ///   - through: How far it looked; nil: as far as the last that it found.
    ///   - isWhole: It was not cut off by its row limit.
    mutating func scanned(_ messages: [Found], through: Int64?, isWhole: Bool) {
        for message in messages {
            state.scanned(position: message.position, group: message.group, visibleAt: message.visibleAt)
        }
        isDue = !isWhole
        if isWhole, let through {
            wasCutShort = through - lookedThrough >= Self.span
            lookedThrough = max(lookedThrough, through)
            state.passed(through: lookedThrough)
            if lookedThrough - keptThrough >= Self.keepEvery { keepPlace() }
        } else if let last = messages.last {
            wasCutShort = false
            lookedThrough = last.position
        }
    }

    /// Has it written down how far the log was looked at, if more than what was received tells.
    mutating func keepPlace() {
        guard isFiltered, lookedThrough > keptThrough else { return }
        keptThrough = lookedThrough
        state.keepPlace()
    }

    /// What its state wants written.
    mutating func flush() -> QueueJournal {
        var journal = state.flush()
        guard kind == .messages, let newest = journal.removed.max() else { return journal }
        if let lastRemoved { journal.removed.append(lastRemoved) }
        lastRemoved = max(newest, lastRemoved ?? newest)
        return journal
    }

    /// The filter of refills.
    var types: [Int16] {
        switch kind {
        case .log(let selection): selection.types.map(\.rawValue)
        case .messages: []
        case .replay(let range): range.types
        }
    }

    /// Messages may lie far apart.
    private var isFiltered: Bool {
        switch kind {
        case .log(let selection): !selection.isWhole
        case .messages: false
        case .replay: true
        }
    }

    /// There is more to look at, and nothing to wait for.
    var isBehind: Bool { wasCutShort && nextScan != nil }

    var isReplay: Bool { if case .replay = kind { true } else { false } }

    /// A replay whose every message was deleted.
    var isFinished: Bool {
        guard case .replay(let range) = kind else { return false }
        let counts = state.counts
        return lookedThrough >= range.to && counts.waiting == 0 && counts.handedOut == 0 && !state.wantsRefills
    }

    /// Everything was looked at and nothing waits that was not handed out.
    var isDrained: Bool { !isDue && state.counts.waiting == 0 && state.readyCount == 0 && !state.wantsRefills }
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
