import Foundation

/// What commands print: results on standard output, everything else on standard error.
enum Terminal {
    static func print(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    static func print(_ bytes: [UInt8]) {
        FileHandle.standardOutput.write(Data(bytes + [UInt8(ascii: "\n")]))
    }

    static func note(_ text: String) {
        FileHandle.standardError.write(Data((text + "\n").utf8))
    }

    static func error(_ text: String) { note("rastro: \(text)") }

    static var isInteractive: Bool { isatty(STDERR_FILENO) == 1 }
}

/// Progress of long work: a bar that redraws itself on a terminal, a plain line every few seconds elsewhere.
struct ProgressReport {
    private let label: String
    private let total: Int?
    private let start = ContinuousClock.now
    private var lastDrawn: ContinuousClock.Instant?
    private var lastCount = 0
    private static let barWidth = 30

    init(_ label: String, total: Int? = nil) {
        self.label = label
        self.total = total
    }

    mutating func update(_ count: Int) {
        lastCount = count
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
        let rate = Int(Double(lastCount) / seconds)
        var text = "\(label) \(lastCount)"
        if let total, total > 0 {
            let filled = min(Self.barWidth, lastCount * Self.barWidth / total)
            let bar = String(repeating: "█", count: filled) + String(repeating: "·", count: Self.barWidth - filled)
            text = "\(label) \(bar) \(lastCount)/\(total)"
        }
        text += "  \(rate)/s"
        if Terminal.isInteractive {
            FileHandle.standardError.write(Data("\r\u{1B}[K\(text)\(end ? "\n" : "")".utf8))
        } else {
            Terminal.note(text)
        }
    }
}
