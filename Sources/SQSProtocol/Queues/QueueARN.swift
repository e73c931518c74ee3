/// A queue's Amazon resource name: `arn:aws:sqs:<region>:000000000000:<name>`.
package struct QueueARN: Sendable, Hashable, CustomStringConvertible {
    /// The one account there is here.
    package static let account = "000000000000"

    /// As the client's signature names it: a server here is in every region.
    package let region: String
    package let name: QueueName

    package init(region: String, name: QueueName) { (self.region, self.name) = (region, name) }

    /// Nil when it names no queue that can be here.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "arn", parts[1].hasPrefix("aws"), parts[2] == "sqs",
            !parts[3].isEmpty,
            parts[4] == Self.account, let name = QueueName(String(parts[5]))
        else { return nil }
        self.init(region: String(parts[3]), name: name)
    }

    package var description: String { "arn:aws:sqs:\(region):\(Self.account):\(name)" }
}
