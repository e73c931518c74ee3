/// A named SQL text that a session prepares once and then runs by name.
///
/// The name identifies the statement within a session (at most 63 bytes): two statements of one name and different
/// texts are refused. Parameters are `$1`, `$2` …; results arrive in binary.
package struct Statement: Sendable, Hashable {
    /// The name in the session, and the one that errors and logs show.
    package let name: String
    /// One SQL command.
    package let text: String

    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }
}
