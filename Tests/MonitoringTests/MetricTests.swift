import Foundation
import Testing

@testable import Monitoring

/// The list of metrics, and the page that shows it.
struct MetricTests {
    @Test(arguments: Metric.allCases)
    func `a name follows the conventions`(_ metric: Metric) {
        let definition = metric.definition
        #expect(metric.name.wholeMatch(of: /(?:rastro|messaging)_[a-z_]+/) != nil)
        #expect(metric.name.hasSuffix("_total") == (definition.kind == .counter))
        #expect(!["_bucket", "_sum", "_count"].contains { metric.name.hasSuffix($0) })
        if definition.unit == .seconds { #expect(metric.name.hasSuffix("_seconds")) }
        if definition.unit == .bytes { #expect(metric.name.hasSuffix("_bytes_total")) }
        if definition.unit == .flag { #expect(definition.kind == .gauge) }
        #expect(definition.help.hasSuffix(".") && !definition.help.contains("|"))
    }

    @Test func `no label can hold a product, a user, a request or a path`() {
        let known: Set<String> = [
            "destination", "queue", "messaging_system", "messaging_destination_name", "messaging_operation_name",
            "messaging_consumer_group_name", "error_type",
        ]
        #expect(Set(Metric.allCases.flatMap(\.definition.labels)).subtracting(known).isEmpty)
    }

    @Test func `docs/metrics.md lists exactly these metrics`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/metrics.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        let expected = Metric.allCases.map { metric in
            let definition = metric.definition
            let labels = definition.labels.map { "`\($0)`" }.joined(separator: ", ")
            return "| `\(metric.name)` | \(definition.kind.rawValue) | \(definition.unit.rawValue) | "
                + "\(labels.isEmpty ? "–" : labels) | \(definition.help) |"
        }
        #expect(rows == expected, "the table should be:\n\(expected.joined(separator: "\n"))")
    }
}
