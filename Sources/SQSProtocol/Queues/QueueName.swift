/// The name of a queue: 1 to 80 letters, digits, hyphens and underscores of ASCII; a FIFO queue's ends with `.fifo`.
package struct QueueName: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    private static let suffix = ".fifo"
    private static let limit = 80

    /// Nil when it is no queue's name.
    package init?(_ text: String) {
        let base = text.hasSuffix(Self.suffix) ? text.dropLast(Self.suffix.utf8.count) : text[...]
        guard !base.isEmpty, text.utf8.count <= Self.limit,
            base.utf8.allSatisfy({
                $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            })
        else { return nil }
        self.text = text
    }

    /// Reads a `QueueUrl`: its last part, or a bare name.
    ///
    /// - Throws: `QueueDoesNotExist` for what no queue can be named.
    package init(url: String) throws(SQSError) {
        guard
            let name = url.split(separator: "/", omittingEmptySubsequences: false).last.map(String.init),
            let name = QueueName(name)
        else { throw .queueDoesNotExist }
        self = name
    }

    package var isFIFO: Bool { text.hasSuffix(Self.suffix) }

    package var description: String { text }

    /// Its `QueueUrl`, on the server that the client asked.
    ///
    /// - Parameter base: scheme and authority, such as `http://127.0.0.1:8080`.
    package func url(base: String) -> String { "\(base)/\(QueueARN.account)/\(text)" }
}
