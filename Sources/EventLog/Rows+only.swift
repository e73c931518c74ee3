package import LibPQ

extension Rows {
    /// The first row of a statement that always answers one.
    package func only() throws(PostgresError) -> Row {
        guard let first else { throw PostgresError(code: .decoding, message: "a row was expected, there was none") }
        return first
    }
}
