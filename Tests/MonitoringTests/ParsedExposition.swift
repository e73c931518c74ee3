/// Reads the text format 0.0.4, stricter than Prometheus does: each metric is announced by HELP and TYPE, in this order,
/// has samples, and none of them twice; counters end in `_total`; buckets never fall and their last is the count.
struct ParsedExposition {
    struct Sample {
        let name: String
        let labels: [String: String]
        let value: Double
    }

    struct Malformed: Error {
        let line: String
    }

    /// Types, by name.
    private(set) var families: [String: String] = [:]
    private(set) var samples: [Sample] = []
    private var current: (name: String, type: String?)?

    init(_ text: String) throws {
        guard text.isEmpty || text.hasSuffix("\n") else { throw Malformed(line: "no line feed at the end") }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            try take(String(line))
        }
        try endFamily()
        let keys = samples.map { "\($0.name) \($0.labels.sorted { $0.key < $1.key })" }
        guard Set(keys).count == keys.count else { throw Malformed(line: "a sample stands twice") }
    }

    private mutating func take(_ line: String) throws {
        if let help = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)/) {
            try endFamily()
            guard families[String(help.1)] == nil else { throw Malformed(line: line) }
            current = (String(help.1), nil)
        } else if let type = line.wholeMatch(of: /# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)/) {
            guard let current, current.name == type.1, current.type == nil else { throw Malformed(line: line) }
            guard type.2 != "counter" || current.name.hasSuffix("_total") else { throw Malformed(line: line) }
            self.current = (current.name, String(type.2))
            families[current.name] = String(type.2)
        } else {
            try takeSample(line)
        }
    }

    private mutating func takeSample(_ line: String) throws {
        guard let current, let type = current.type,
            let parts = line.wholeMatch(of: /([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)/),
            let value = Self.number(parts.3)
        else { throw Malformed(line: line) }
        let suffixes = type == "histogram" ? ["_bucket", "_sum", "_count"] : [""]
        guard suffixes.contains(where: { current.name + $0 == parts.1 }) else { throw Malformed(line: line) }
        let labels = try parts.2.map { try Self.labels(String($0)) } ?? [:]
        samples.append(Sample(name: String(parts.1), labels: labels, value: value))
    }

    private static func number(_ text: Substring) -> Double? {
        switch text {
        case "NaN": .nan
        case "+Inf": .infinity
        case "-Inf": -.infinity
        default: text.wholeMatch(of: /-?[0-9]+(?:\.[0-9]+)?(?:e[+-][0-9]+)?/).flatMap { Double($0.0) }
        }
    }

    /// `name="value"`, separated by commas; in values only `\\`, `\"` and `\n` are escapes.
    private static func labels(_ text: String) throws -> [String: String] {
        var labels: [String: String] = [:]
        var rest = text[...]
        while !rest.isEmpty {
            guard let label = rest.prefixMatch(of: /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\[\\"n])*)"/),
                labels[String(label.1)] == nil
            else { throw Malformed(line: text) }
            labels[String(label.1)] = unescaped(label.2)
            rest = rest[label.range.upperBound...]
            guard rest.isEmpty || rest.hasPrefix(",") else { throw Malformed(line: text) }
            rest = rest.dropFirst()
        }
        return labels
    }

    private static func unescaped(_ text: Substring) -> String {
        var result = ""
        var isEscaped = false
        for character in text {
            if isEscaped {
                result.append(character == "n" ? "\n" : character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else {
                result.append(character)
            }
        }
        return result
    }

    private mutating func endFamily() throws {
        guard let (name, type) = current else { return }
        let own = samples.filter { $0.name.hasPrefix(name) }
        guard let type, !own.isEmpty else { throw Malformed(line: "\(name) has no samples") }
        guard type == "histogram" else { return }
        let series = Dictionary(grouping: own) { sample in
            sample.labels.filter { $0.key != "le" }.sorted { $0.key < $1.key }.description
        }
        for (_, samples) in series {
            let buckets = samples.filter { $0.name == "\(name)_bucket" }
            let counts = buckets.map(\.value)
            let bounds = buckets.compactMap { Self.number($0.labels["le", default: ""][...]) }
            guard counts == counts.sorted(), bounds == bounds.sorted(), bounds.count == counts.count,
                bounds.last == .infinity, counts.last == samples.first(where: { $0.name == "\(name)_count" })?.value,
                samples.contains(where: { $0.name == "\(name)_sum" })
            else { throw Malformed(line: name) }
        }
    }
}
