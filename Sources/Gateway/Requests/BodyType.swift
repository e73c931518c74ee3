/// The media types that bodies may have.
enum BodyType: String {
    case json = "application/json"
    case mergePatch = "application/merge-patch+json"

    /// Whether a `Content-Type` names this type, in UTF-8 if it names a charset; other parameters are not looked at.
    func accepts(_ contentType: String) -> Bool {
        if contentType == rawValue { return true }
        let parts = contentType.split(separator: ";", omittingEmptySubsequences: false).map(Self.trimmed)
        guard parts[0].lowercased() == rawValue else { return false }
        return parts.dropFirst().allSatisfy { parameter in
            let pair = parameter.split(separator: "=", maxSplits: 1).map(Self.trimmed)
            guard pair.count == 2, pair[0].lowercased() == "charset" else { return true }
            let charset = pair[1].lowercased()
            return charset == "utf-8" || charset == "\"utf-8\""
        }
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text
        while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
        while let last = text.last, last == " " || last == "\t" { text.removeLast() }
        return text
    }
}
