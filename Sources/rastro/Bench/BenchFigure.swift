import Synchronization

/// One measured figure: samples in the order they were taken, the median counts.
struct BenchFigure: Sendable {
    enum Goal: Sendable {
        /// The value is at least so many times that of the comparison.
        case ratio(Double)
        case atLeast(Double)
        case atMost(Double)
        /// No sample is further from the median than this part of it.
        case within(Double)
    }

    struct Comparison: Sendable {
        let name: String
        let samples: [Double]
    }

    let name: String
    let unit: String
    let samples: [Double]
    var comparison: Comparison?
    var goal: Goal?
    /// What else a reader should know, such as latencies.
    var remarks: [String] = []

    var value: Double { Self.median(samples) }

    var ratio: Double? {
        guard let other = comparison.map({ Self.median($0.samples) }), other > 0 else { return nil }
        return value / other
    }

    /// The largest distance of a sample from the median, as a part of it.
    var spread: Double {
        guard value > 0 else { return 0 }
        return samples.reduce(0) { max($0, abs($1 - value)) } / value
    }

    /// Nil without a goal.
    var isMet: Bool? {
        switch goal {
        case nil: nil
        case .ratio(let least): ratio.map { $0 >= least } ?? false
        case .atLeast(let least): value >= least
        case .atMost(let most): value <= most
        case .within(let most): spread <= most
        }
    }

    static func median(_ samples: [Double]) -> Double {
        let sorted = samples.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}

/// What was measured so far; told on standard error as it comes.
final class BenchResults: Sendable {
    private let list = Mutex<[BenchFigure]>([])

    var figures: [BenchFigure] { list.withLock { $0 } }

    func add(_ figure: BenchFigure) {
        list.withLock { $0.append(figure) }
        let verdict = figure.isMet.map { $0 ? ", met" : ", missed" } ?? ""
        let ratio = figure.ratio.map { ", \(BenchReport.fixed($0, 2)) x \(figure.comparison?.name ?? "")" } ?? ""
        Terminal.note("  \(figure.name): \(BenchReport.number(figure.value)) \(figure.unit)\(ratio)\(verdict)")
    }
}
