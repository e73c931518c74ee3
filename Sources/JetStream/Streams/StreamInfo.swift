import Catalog

/// A stream as it is.
package struct StreamInfo: Sendable, Hashable {
    package let name: String
    package let subjects: [String]
    package let isStoredInFiles: Bool
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
        replicas = configuration["num_replicas"]?.int.flatMap { Int(exactly: $0) } ?? 1
        messages = state["messages"]?.int ?? 0
        firstSequence = state["first_seq"]?.int ?? 0
        lastSequence = last
    }
}
