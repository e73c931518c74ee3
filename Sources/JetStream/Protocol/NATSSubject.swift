/// Subjects with wildcards: `*` stands for one part, `>` at the end for one or more.
enum NATSSubject {
    /// Whether a pattern takes everything that another one takes.
    static func pattern(_ pattern: String, covers other: String) -> Bool {
        let parts = pattern.split(separator: ".", omittingEmptySubsequences: false)
        let others = other.split(separator: ".", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            guard index < others.count else { return false }
            if part == ">" { return index == parts.count - 1 }
            guard part == others[index] || (part == "*" && others[index] != ">") else { return false }
        }
        return parts.count == others.count
    }
}
