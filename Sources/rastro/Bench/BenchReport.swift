import Catalog

/// What a bench prints at its end.
struct BenchReport {
    let machine: BenchMachine
    let figures: [BenchFigure]

    var text: String {
        let head = ["figure", "value", "compared with", "ratio", "goal", "met"]
        let rows = figures.map { figure in
            [
                figure.name,
                "\(Self.number(figure.value)) \(figure.unit)",
                figure.comparison.map { "\($0.name): \(Self.number(BenchFigure.median($0.samples)))" } ?? "",
                figure.ratio.map { Self.fixed($0, 2) } ?? "",
                Self.text(figure.goal),
                figure.isMet.map { $0 ? "yes" : "NO" } ?? "",
            ]
        }
        let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
        let lines = ([head] + rows).map { row in
            zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }.joined(separator: "  ")
        }
        let remarks = figures.flatMap { figure in figure.remarks.map { "\(figure.name): \($0)" } }
        return (machine.lines + [""] + lines + (remarks.isEmpty ? [] : [""] + remarks)).joined(separator: "\n")
    }

    var json: [UInt8] {
        var writer = JSONWriter(reserving: 4_096)
        writer.beginObject()
        writer.key("machine")
        machine.write(to: &writer)
        writer.key("figures")
        writer.beginArray()
        for figure in figures { Self.write(figure, to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    private static func write(_ figure: BenchFigure, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("name", figure.name)
        writer.member("unit", figure.unit)
        writer.key("value")
        writer.raw(fixed(figure.value, 3))
        writer.key("samples")
        write(figure.samples, to: &writer)
        if let comparison = figure.comparison {
            writer.key("comparedWith")
            writer.beginObject()
            writer.member("name", comparison.name)
            writer.key("value")
            writer.raw(fixed(BenchFigure.median(comparison.samples), 3))
            writer.key("samples")
            write(comparison.samples, to: &writer)
            writer.endObject()
        }
        if let ratio = figure.ratio {
            writer.key("ratio")
            writer.raw(fixed(ratio, 3))
        }
        if figure.goal != nil { writer.member("goal", text(figure.goal)) }
        if let isMet = figure.isMet { writer.member("met", isMet) }
        writer.member("remarks", .array(figure.remarks.map(JSONValue.string)))
        writer.endObject()
    }

    private static func write(_ samples: [Double], to writer: inout JSONWriter) {
        writer.beginArray()
        for sample in samples { writer.raw(fixed(sample, 3)) }
        writer.endArray()
    }

    private static func text(_ goal: BenchFigure.Goal?) -> String {
        switch goal {
        case nil: ""
        case .ratio(let least): ">= \(fixed(least, 1)) x"
        case .atLeast(let least): ">= \(number(least))"
        case .atMost(let most): "<= \(number(most))"
        case .within(let most): "+- \(number(most * 100)) %"
        }
    }

    /// A whole number with its thousands apart; three digits for small ones.
    static func number(_ value: Double) -> String {
        guard abs(value) >= 100 else {
            return value == value.rounded() ? String(Int(value)) : fixed(value, 2)
        }
        var digits = String(Int(value.rounded()))
        var end = digits.endIndex
        while let next = digits.index(end, offsetBy: -3, limitedBy: digits.startIndex), next > digits.startIndex {
            digits.insert(",", at: next)
            end = next
        }
        return digits
    }

    static func fixed(_ value: Double, _ digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let whole = Int64((value.magnitude * scale).rounded())
        let fraction = String(whole % Int64(scale))
        let padded = String(repeating: "0", count: digits - fraction.count) + fraction
        return (value < 0 ? "-" : "") + "\(whole / Int64(scale))." + padded
    }
}
