import Catalog

/// The one form of a request that both sides hash.
///
/// Source: AWS Identity and Access Management User Guide, "Create a signed AWS API request", for services other than
/// S3: the path is normalised and encoded once more.
struct CanonicalRequest {
    private(set) var bytes: [UInt8] = []

    /// - Parameter signedNames: names of fields in lower case, sorted.
    init(_ request: SignableRequest, signedNames: [String]) {
        bytes.reserveCapacity(512)
        append(line: request.method.utf8)
        append(line: Self.path(request.path.utf8))
        append(line: Self.query(request.query.utf8))
        for name in signedNames {
            bytes.append(contentsOf: name.utf8)
            bytes.append(UInt8(ascii: ":"))
            var isFirst = true
            for field in request.fields where field.name == name {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                append(value: field.value.utf8)
            }
            bytes.append(UInt8(ascii: "\n"))
        }
        append(line: [])
        append(line: signedNames.joined(separator: ";").utf8)
        bytes.append(contentsOf: request.bodyDigest.utf8)
    }

    private mutating func append(line: some Collection<UInt8>) {
        bytes.append(contentsOf: line)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Without space at its ends; each run of space within is one.
    private mutating func append(value: String.UTF8View) {
        let start = bytes.count
        var isAfterSpace = false
        for byte in value {
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                isAfterSpace = true
                continue
            }
            if isAfterSpace, bytes.count > start { bytes.append(UInt8(ascii: " ")) }
            isAfterSpace = false
            bytes.append(byte)
        }
    }
}

extension CanonicalRequest {
    /// Dot segments and empty ones go; what remains is encoded though it is encoded already.
    private static func path(_ path: String.UTF8View) -> [UInt8] {
        let slash = UInt8(ascii: "/")
        guard path.count > 1 else { return [slash] }
        var kept: [String.UTF8View.SubSequence] = []
        for segment in path.split(separator: slash) {
            switch Array(segment) {
            case Array(".".utf8): continue
            case Array("..".utf8): _ = kept.popLast()
            default: kept.append(segment)
            }
        }
        var result: [UInt8] = []
        for segment in kept {
            result.append(slash)
            append(encoded: segment, to: &result)
        }
        if path.last == slash || kept.isEmpty { result.append(slash) }
        return result
    }

    /// Parameters sorted by name, then by value, each decoded and encoded anew.
    private static func query(_ query: String.UTF8View) -> [UInt8] {
        guard !query.isEmpty else { return [] }
        let pairs = query.split(separator: UInt8(ascii: "&")).map { pair in
            let parts = pair.split(
                separator: UInt8(ascii: "="),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            return (name: reencoded(parts[0]), value: parts.count > 1 ? reencoded(parts[1]) : [])
        }
        let sorted = pairs.sorted { left, right in
            left.name == right.name
                ? left.value.lexicographicallyPrecedes(right.value)
                : left.name.lexicographicallyPrecedes(right.name)
        }
        return Array(
            sorted.map { $0.name + [UInt8(ascii: "=")] + $0.value }.joined(separator: [UInt8(ascii: "&")])
        )
    }

    private static func reencoded(_ text: String.UTF8View.SubSequence) -> [UInt8] {
        var result: [UInt8] = []
        append(encoded: decoded(text), to: &result)
        return result
    }

    /// A percent sign that begins no escape stands for itself.
    private static func decoded(_ text: String.UTF8View.SubSequence) -> [UInt8] {
        let bytes = Array(text)
        var (result, at): ([UInt8], Int) = ([], 0)
        while at < bytes.count {
            if bytes[at] == UInt8(ascii: "%"), at + 2 < bytes.count,
                let high = Hexadecimal.value(ofDigit: bytes[at + 1]),
                let low = Hexadecimal.value(ofDigit: bytes[at + 2])
            {
                result.append(high << 4 | low)
                at += 3
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        return result
    }

    private static let digits = Array("0123456789ABCDEF".utf8)

    private static func append(encoded bytes: some Sequence<UInt8>, to result: inout [UInt8]) {
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                result.append(byte)
            default:
                result.append(UInt8(ascii: "%"))
                result.append(digits[Int(byte >> 4)])
                result.append(digits[Int(byte & 15)])
            }
        }
    }
}
