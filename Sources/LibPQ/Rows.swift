internal import CLibPQ

/// The result of one statement: its rows in order, decoded in place from libpq's memory.
///
/// Rows keep the whole result alive, also when they are sent to another thread.
package struct Rows: Sendable {
    let result: ResultStorage

    /// How many rows an INSERT, UPDATE, DELETE, MERGE, SELECT … affected or returned; 0 for other commands.
    package var affectedRows: Int {
        guard let text = PQcmdTuples(result.pointer) else { return 0 }
        return Int(String(cString: text)) ?? 0
    }

    /// The number of columns.
    package var columnCount: Int { result.columnCount }

    /// The number of a column by its name, for results whose columns are not fixed.
    package func column(named name: String) -> Int? {
        let number = PQfnumber(result.pointer, "\"" + name + "\"")
        return number >= 0 ? Int(number) : nil
    }
}

extension Rows: RandomAccessCollection {
    package var startIndex: Int { 0 }
    package var endIndex: Int { result.rowCount }
    package subscript(position: Int) -> Row { Row(result: result, index: position) }
}

/// Owns a `PGresult`.
final class ResultStorage: @unchecked Sendable {
    // Sendable: a PGresult is only read after it was received, and freed when the last owner is gone.
    let pointer: OpaquePointer
    let rowCount: Int
    let columnCount: Int
    /// Whether values are in binary form (all columns of a result are alike here).
    let isBinary: Bool

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
        rowCount = Int(PQntuples(pointer))
        columnCount = Int(PQnfields(pointer))
        isBinary = PQbinaryTuples(pointer) != 0
    }

    deinit { PQclear(pointer) }

    func columnName(_ column: Int) -> String {
        guard let name = PQfname(pointer, Int32(truncatingIfNeeded: column)) else { return "column \(column)" }
        return String(cString: name)
    }
}
