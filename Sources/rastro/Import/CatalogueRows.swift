import Catalog
import EventLog

/// Reads products from the lines of an NDJSON or CSV file.
struct CatalogueRows: Sendable {
    enum Format: String, CaseIterable, Sendable { case ndjson, csv }

    /// A row that is no product.
    struct BadRow: Error {
        /// Where it begins, from 1.
        let line: Int
        let reason: String
    }

    /// A CSV record is at most so long, line breaks included.
    static let recordLimitBytes = LineReader.lineLimitBytes

    private let format: Format
    private var lines: LineReader
    private var columns: [String]?

    init(format: Format, lines: LineReader) {
        self.format = format
        self.lines = lines
    }

    /// Bytes of the file that were read as rows.
    var position: Int { lines.position }
    /// The file's length in bytes; nil when it is no regular file.
    var size: Int? { lines.size }

    /// The next row, good or bad; nil at the end. Empty lines between rows are passed over.
    ///
    /// - Throws: `Failure` when the file cannot be read, or its first CSV record names no columns.
    mutating func next() throws(Failure) -> Result<CatalogueImport.Row, BadRow>? {
        while let line = try lines.next() {
            guard case .text(let bytes) = line else {
                return bad(lines.number, "the line is longer than \(LineReader.lineLimitBytes) bytes")
            }
            if bytes.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            switch format {
            case .ndjson: return document(bytes)
            case .csv:
                if let row = try row(startingWith: bytes) { return row }
            }
        }
        return nil
    }

    private func bad(_ line: Int, _ reason: String) -> Result<CatalogueImport.Row, BadRow> {
        .failure(BadRow(line: line, reason: reason))
    }

    private func document(_ bytes: ArraySlice<UInt8>) -> Result<CatalogueImport.Row, BadRow> {
        do {
            return row(lines.number, try JSONParser.parse(bytes))
        } catch {
            return bad(lines.number, "this is no JSON document: \(error)")
        }
    }

    private func row(_ line: Int, _ json: JSONValue) -> Result<CatalogueImport.Row, BadRow> {
        do {
            return .success(CatalogueImport.Row(line: line, product: try NewProduct(json: json)))
        } catch {
            return bad(line, error.description)
        }
    }
}

// MARK: - CSV

extension CatalogueRows {
    /// The row of the record that starts with this line; nil when that is the header.
    private mutating func row(
        startingWith line: ArraySlice<UInt8>
    ) throws(Failure) -> Result<CatalogueImport.Row, BadRow>? {
        let first = lines.number
        let record: CSVRecord
        do {
            record = try self.record(startingWith: line)
        } catch let bad as BadRow {
            guard columns != nil else { throw Failure(.usage, "line \(first), the columns' names: \(bad.reason)") }
            return .failure(bad)
        } catch {
            throw error as? Failure ?? Failure(.usage, "\(error)")
        }
        guard let columns else {
            columns = try Self.columns(record.cells, line: first)
            return nil
        }
        guard record.cells.count == columns.count else {
            return bad(first, "has \(record.cells.count) cells; there are \(columns.count) columns")
        }
        return row(first, Self.json(record.cells, columns: columns))
    }

    /// - Throws: `BadRow`, and then the record was its first line only; `Failure` when the file cannot be read.
    private mutating func record(startingWith line: ArraySlice<UInt8>) throws -> CSVRecord {
        let first = lines.number
        var record = CSVRecord()
        do {
            try record.append(line)
            guard record.isOpen else { return record }
            lines.setMark()
            var left = Self.recordLimitBytes - line.count
            while record.isOpen {
                guard let next = try lines.next() else { throw BadRow(line: first, reason: "a quote is never closed") }
                guard case .text(let more) = next, more.count < left else {
                    let reason = "a quote is not closed within \(Self.recordLimitBytes) bytes"
                    throw BadRow(line: first, reason: reason)
                }
                left -= more.count + 1
                try record.append(more)
            }
            lines.forgetMark()
            return record
        } catch let fault as CSVRecord.Fault {
            let last = lines.number
            lines.rewind()
            throw BadRow(line: first, reason: fault.description + (last == first ? "" : ", in line \(last)"))
        } catch let bad as BadRow {
            lines.rewind()
            throw bad
        }
    }

    private static func columns(_ names: [String], line: Int) throws(Failure) -> [String] {
        for required in ["code", "name", "price"] where !names.contains(required) {
            throw Failure(.usage, "line \(line) names the columns, and '\(required)' is not among them")
        }
        guard Set(names).count == names.count else {
            throw Failure(.usage, "line \(line) names the columns, and one of them twice")
        }
        return names
    }

    /// A CSV record as the JSON that a POST would bring: empty cells are absent, id and price are numbers, whose text is
    /// judged where they are read.
    private static func json(_ cells: [String], columns: [String]) -> JSONValue {
        let members = zip(columns, cells).compactMap { name, cell -> JSONMember? in
            if cell.isEmpty { return nil }
            return JSONMember(key: name, value: name == "price" || name == "id" ? .number(cell) : .string(cell))
        }
        return .object(members)
    }
}
