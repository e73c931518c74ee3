/// What one scrape shows, in Prometheus's text format 0.0.4:
/// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
package struct Exposition: Sendable {
    package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private enum Value {
        case number(Double)
        case times(Histogram.Snapshot)
    }

    private var samples: [Metric: [(labels: [String], value: Value)]] = [:]

    package init() {}

    /// - Parameter labels: values of the metric's labels, in their order. Each set of them once.
    package mutating func add(_ metric: Metric, _ labels: [String], _ value: Double) {
        append(metric, labels, .number(value))
    }

    package mutating func add<Count: BinaryInteger>(_ metric: Metric, _ labels: [String], _ value: Count) {
        append(metric, labels, .number(Double(value)))
    }

    package mutating func add(_ metric: Metric, _ labels: [String], _ isSo: Bool) {
        append(metric, labels, .number(isSo ? 1 : 0))
    }

    package mutating func add(_ metric: Metric, _ labels: [String], _ times: Histogram.Snapshot) {
        append(metric, labels, .times(times))
    }

    private mutating func append(_ metric: Metric, _ labels: [String], _ value: Value) {
        precondition(metric.definition.labels.count == labels.count, "\(metric.name) is used wrongly")
        samples[metric, default: []].append((labels, value))
    }

    /// Metrics in the order of their list, each one's series by their labels; metrics without a series are left out.
    package var text: String {
        var text = ""
        for metric in Metric.allCases {
            guard let series = samples[metric] else { continue }
            let definition = metric.definition
            text += "# HELP \(metric.name) \(Self.escapedHelp(definition.help))\n"
            text += "# TYPE \(metric.name) \(definition.kind.rawValue)\n"
            for (values, value) in series.sorted(by: { $0.labels.lexicographicallyPrecedes($1.labels) }) {
                let labels = zip(definition.labels, values).map { #"\#($0)="\#(Self.escapedLabel($1))""# }
                switch value {
                case .number(let number): Self.write(metric.name, labels, number, to: &text)
                case .times(let times): Self.write(metric.name, labels, times, to: &text)
                }
            }
        }
        return text
    }

    private static func write(_ name: String, _ labels: [String], _ value: Double, to text: inout String) {
        text += name
        if !labels.isEmpty { text += "{\(labels.joined(separator: ","))}" }
        text += " \(number(value))\n"
    }

    /// Buckets hold what is not above their bound: each all that the one before holds.
    private static func write(_ name: String, _ labels: [String], _ times: Histogram.Snapshot, to text: inout String) {
        var total: Int64 = 0
        for (count, bound) in zip(times.counts, Metric.buckets.map(number) + ["+Inf"]) {
            total += count
            write("\(name)_bucket", labels + [#"le="\#(bound)""#], Double(total), to: &text)
        }
        write("\(name)_sum", labels, times.seconds, to: &text)
        write("\(name)_count", labels, Double(total), to: &text)
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return Int64(exactly: value).map { String($0) } ?? value.description
    }

    private static func escapedHelp(_ text: String) -> String {
        text.replacing(#"\"#, with: #"\\"#).replacing("\n", with: #"\n"#)
    }

    private static func escapedLabel(_ text: String) -> String {
        escapedHelp(text).replacing(#"""#, with: #"\""#)
    }
}
