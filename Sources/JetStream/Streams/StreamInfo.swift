import Catalog

/// A stream as it is.
package struct StreamInfo: Sendable, Hashable {
    package let name: String
    package let subjects: [String]
    package let isStoredInFiles: Bool
    /// How it decides what to keep: `limits`, or else messages go when somebody has read them.
    package let retention: String
    /// It confirms what it has taken.
    package let acknowledges: Bool
    package let replicas: Int
    package let messages: Int64
    package let firstSequence: Int64
    /// 0: nothing was ever stored.
    package let lastSequence: Int64

    init(_ answer: JSONValue) throws(NATSError) {
        guard let configuration = answer["config"], let state = answer["state"], let name = configuration["name"]?.text,
            let last = state["last_seq"]?.int
        else { throw NATSError(.protocolViolation, "a stream's description lacks its name or state") }
        self.name = name
        subjects = if case .array(let items)? = configuration["subjects"] { items.compactMap(\.text) } else { [] }
        isStoredInFiles = configuration["storage"]?.text == "file"
        retention = configuration["retention"]?.text ?? "limits"
        acknowledges = configuration["no_ack"]?.flag != true
        replicas = configuration["num_replicas"]?.int.flatMap { Int(exactly: $0) } ?? 1
        messages = state["messages"]?.int ?? 0
        firstSequence = state["first_seq"]?.int ?? 0
        lastSequence = last
    }
}
