import Catalog
import EventLog

/// Reads products from the lines of an NDJSON or CSV file.
struct CatalogueRows: Sendable {
    /// A row that is no product.
    struct BadRow: Error {
        let line: Int
        let reason: String
    }

    private let format: Import.Format
    private var lines: LineReader
    private var line = 0
    private var header: [String]?

    init(format: Import.Format, lines: LineReader) {
        self.format = format
        self.lines = lines
    }

    /// The next row, good or bad; nil at the end. Empty lines are passed over.
    mutating func next() throws -> Result<CatalogueImport.Row, BadRow>? {
        while let bytes = try lines.next() {
            line += 1
            if bytes.allSatisfy({ $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }) { continue }
            switch format {
            case .ndjson: return row(try? JSONParser.parse(bytes))
            case .csv:
                var record = CSVRecord()
                let first = line
                record.append(bytes)
                while record.isOpen, let more = try lines.next() {
                    line += 1
                    record.appendLineBreak()
                    record.append(more)
                }
                guard !record.isOpen else { return .failure(BadRow(line: first, reason: "a quote is never closed")) }
                guard let names = header else {
                    header = record.fields
                    continue
                }
                return row(json(record.fields, names: names))
            }
        }
        return nil
    }

    private func row(_ json: JSONValue?) -> Result<CatalogueImport.Row, BadRow> {
        guard let json else { return .failure(BadRow(line: line, reason: "this is no JSON document")) }
        do {
            return .success(CatalogueImport.Row(line: line, product: try NewProduct(json: json)))
        } catch {
            return .failure(BadRow(line: line, reason: error.description))
        }
    }

    /// A CSV record as the JSON that a POST would bring: empty cells are absent, id and price are numbers.
    private func json(_ cells: [String], names: [String]) -> JSONValue {
        let members = zip(names, cells).compactMap { name, cell -> JSONMember? in
            if cell.isEmpty { return nil }
            let isNumber = name == "price" || name == "id"
            return JSONMember(key: name, value: isNumber && Price(decimal: cell) != nil ? .number(cell) : .string(cell))
        }
        return .object(members)
    }
}

/// One record of a CSV file (RFC 4180): cells may be quoted, quotes are doubled, quoted cells may hold line breaks.
struct CSVRecord {
    private(set) var fields: [String] = []
    private var cell: [UInt8] = []
    private var isQuoted = false

    /// Whether a quoted cell goes on in the next line.
    var isOpen: Bool { isQuoted }

    mutating func append(_ line: ArraySlice<UInt8>) {
        var at = line.startIndex
        while at < line.endIndex {
            let byte = line[at]
            let next = line.index(after: at)
            switch (byte, isQuoted) {
            case (UInt8(ascii: "\""), true) where next < line.endIndex && line[next] == UInt8(ascii: "\""):
                cell.append(byte)
                at = next
            case (UInt8(ascii: "\""), true): isQuoted = false
            case (UInt8(ascii: "\""), false) where cell.isEmpty: isQuoted = true
            case (UInt8(ascii: ","), false): closeCell()
            default: cell.append(byte)
            }
            at = line.index(after: at)
        }
        if !isQuoted { closeCell() }
    }

    mutating func appendLineBreak() { cell.append(UInt8(ascii: "\n")) }

    private mutating func closeCell() {
        fields.append(String(decoding: cell, as: UTF8.self))
        cell.removeAll(keepingCapacity: true)
    }
}
