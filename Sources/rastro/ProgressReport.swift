import Foundation

/// Progress of long work: a line that redraws itself on a terminal, a plain one every few seconds elsewhere.
struct ProgressReport {
    /// How much of a known whole is done, in bytes: the line then has a bar.
    struct Part {
        let done: Int
        let of: Int
    }

    private let label: String
    private let start = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?
    private var lastCount = 0
    private var lastPart: Part?
    private static let barWidth = 30

    init(_ label: String) { self.label = label }

    mutating func update(_ count: Int, part: Part? = nil) {
        (lastCount, lastPart) = (count, part)
        let now = ContinuousClock.now
        let interval: Duration = Terminal.isInteractive ? .milliseconds(100) : .seconds(5)
        if let lastDrawn, now - lastDrawn < interval { return }
        lastDrawn = now
        draw(end: false)
    }

    func finish() { draw(end: true) }

    /// Seconds since the start, at least a microsecond.
    var seconds: Double { max((ContinuousClock.now - start) / .seconds(1), 0.000_001) }

    private func draw(end: Bool) {
        let text = Self.line(label, count: lastCount, part: lastPart, seconds: seconds)
        if Terminal.isInteractive {
            FileHandle.standardError.write(Data("\r\u{1B}[K\(text)\(end ? "\n" : "")".utf8))
        } else {
            Terminal.note(text)
        }
    }

    /// The line as it is drawn: `importing: rows ███··· 5.0 of 10.0 MB  1200  600/s`.
    static func line(_ label: String, count: Int, part: Part?, seconds: Double) -> String {
        let rate = "\(count)  \(Int(Double(count) / seconds))/s"
        guard let part, part.of > 0 else { return "\(label) \(rate)" }
        let done = min(max(part.done, 0), part.of)
        let filled = Int(Double(done) / Double(part.of) * Double(barWidth))
        let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: barWidth - filled)
        return "\(label) \(bar) \(megabytes(done)) of \(megabytes(part.of)) MB  \(rate)"
    }

    private static func megabytes(_ bytes: Int) -> String { "\(bytes / 1_000_000).\(bytes / 100_000 % 10)" }
}
