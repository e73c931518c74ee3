/// One record of a CSV file (RFC 4180), read line by line: cells may be quoted, quotes are doubled, quoted cells may hold
/// line breaks.
///
/// Strict, so that a lost quote is found where it stands: a quote opens a cell, closes it, or is doubled in a quoted cell.
struct CSVRecord {
    /// Why a text is no record.
    enum Fault: Error, CustomStringConvertible {
        case strayQuote, textAfterQuote, notUTF8

        var description: String {
            switch self {
            case .strayQuote: "a quote stands inside a cell that does not start with one"
            case .textAfterQuote: "a quoted cell ends, and more follows before the comma"
            case .notUTF8: "a cell is not valid UTF-8"
            }
        }
    }

    private(set) var cells: [String] = []
    private var cell: [UInt8] = []
    private var state = State.start

    private enum State {
        /// Before a cell's first byte.
        case start
        case plain
        case quoted
        /// After a quote in a quoted cell: its end, or the first of two.
        case afterQuote
    }

    /// Whether a quoted cell goes on in the next line.
    var isOpen: Bool { state == .quoted }

    /// Takes the record's next line. After a fault the record is of no use.
    mutating func append(_ line: ArraySlice<UInt8>) throws(Fault) {
        if isOpen { cell.append(UInt8(ascii: "\n")) }
        for byte in line { try append(byte) }
        if !isOpen { try closeCell() }
    }

    private mutating func append(_ byte: UInt8) throws(Fault) {
        switch (byte, state) {
        case (UInt8(ascii: "\""), .start): state = .quoted
        case (UInt8(ascii: "\""), .plain): throw .strayQuote
        case (UInt8(ascii: "\""), .quoted): state = .afterQuote
        case (UInt8(ascii: "\""), .afterQuote):
            cell.append(byte)
            state = .quoted
        case (_, .quoted): cell.append(byte)
        case (UInt8(ascii: ","), _): try closeCell()
        case (_, .afterQuote): throw .textAfterQuote
        default:
            cell.append(byte)
            state = .plain
        }
    }

    private mutating func closeCell() throws(Fault) {
        guard let text = String(validating: cell, as: UTF8.self) else { throw .notUTF8 }
        cells.append(text)
        cell.removeAll(keepingCapacity: true)
        state = .start
    }
}
