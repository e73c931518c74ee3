import Catalog
import EventLog
import Testing

@testable import rastro

@Suite("CatalogueRows")
struct CatalogueRowsTests {
    private static let header = "code,name,price\n"

    /// Every row: `LINE CODE` of a good one, `LINE !REASON` of a bad one.
    private func rows(_ text: String, _ format: CatalogueRows.Format = .csv) throws -> [String] {
        try ScratchFile.with(text) { path in
            var rows = CatalogueRows(format: format, lines: try LineReader(path: path))
            var found: [String] = []
            while let row = try rows.next() {
                switch row {
                case .success(let row): found.append("\(row.line) \(row.product.fields.code)")
                case .failure(let bad): found.append("\(bad.line) !\(bad.reason)")
                }
            }
            return found
        }
    }

    @Test("reads NDJSON a document a line and goes on after a bad one")
    func ndjson() throws {
        let text = """
            \u{FEFF}{"code":"A","name":"a","price":1}

            {"code":"B"
            {"code":"C","name":"c","price":-1}
            {"code":"D","name":"d","price":4}
            """
        let found = try rows(text, .ndjson)
        #expect(found.count == 4)
        #expect(found[0] == "1 A")
        #expect(found[1].hasPrefix("3 !this is no JSON document: "))
        #expect(found[2] == "4 !/price: must not be negative (range)")
        #expect(found[3] == "5 D")
    }

    @Test("reports a line over a mebibyte and goes on", arguments: CatalogueRows.Format.allCases)
    func longLine(format: CatalogueRows.Format) throws {
        let long = String(repeating: "x", count: LineReader.lineLimitBytes + 1)
        let good = format == .csv ? "A,a,1\n" : #"{"code":"A","name":"a","price":1}"# + "\n"
        let found = try rows((format == .csv ? Self.header : "\n") + long + "\n" + good, format)
        #expect(found == ["2 !the line is longer than 1048576 bytes", "3 A"])
    }

    @Test("names the line where a CSV record begins")
    func recordLines() throws {
        let text = "\u{FEFF}name,code,price\n\"a\n\nb\",A,1\n\nb,B,2\n\"c\nc\",C,x\n"
        #expect(try rows(text) == ["2 A", "6 B", "7 !/price: must be a number (type)"])
    }

    @Test("a quote that is never closed costs one row")
    func unclosedQuote() throws {
        let text = Self.header + "A,a,1\nB,\"b,2\nC,c,3\nD,d,4\n"
        #expect(try rows(text) == ["2 A", "3 !a quote is never closed", "4 C", "5 D"])
    }

    @Test("a lost quote is found at the next quoted cell and costs one row")
    func lostQuote() throws {
        let text = Self.header + "A,\"a,1\nB,b,2\n\"C\",\"c\",3\n"
        #expect(
            try rows(text) == ["2 !a quoted cell ends, and more follows before the comma, in line 4", "3 B", "4 C"]
        )
    }

    @Test("a record longer than a line may be is given up, and the lines after its first are read")
    func longRecord() throws {
        let count = 30_000
        let others = (0..<count).map { "C\($0),\(String(repeating: "n", count: 80)),1\n" }.joined()
        let found = try rows(Self.header + "A,\"a,1\n" + others)
        #expect(found.count == count + 1)
        #expect(found[0] == "2 !a quote is not closed within 1048576 bytes")
        #expect(found[1] == "3 C0" && found[count] == "\(count + 2) C\(count - 1)")
    }

    @Test("an unclosed quote before a line that is too long costs two rows")
    func unclosedBeforeLongLine() throws {
        let long = String(repeating: "x", count: LineReader.lineLimitBytes + 1)
        let found = try rows(Self.header + "A,\"a,1\nB,b,1\n\(long)\nC,c,1\n")
        #expect(found.map { $0.prefix(3) } == ["2 !", "3 B", "4 !", "5 C"])
    }

    @Test(
        "says of a CSV number what is wrong with it",
        arguments: [
            ("A,a,1.99999,", "/price: has more than 4 decimals (precision)"),
            ("A,a,-1,", "/price: must not be negative (range)"),
            ("A,a,\"1,99\",", "/price: must be a number (type)"), ("A,a,1,1.5", "/id: must be an integer (type)"),
            ("A,a,1,x", "/id: must be an integer (type)"), ("A,a,,", "/price: is required (required)"),
        ]
    )
    func numbers(row: String, reason: String) throws {
        #expect(try rows("code,name,price,id\n" + row) == ["2 !" + reason])
    }

    @Test("refuses a record with more or fewer cells than columns")
    func cellCount() throws {
        let found = try rows(Self.header + "A,a,1,99\nB,b\nC,c,3")
        #expect(found == ["2 !has 4 cells; there are 3 columns", "3 !has 2 cells; there are 3 columns", "4 C"])
    }

    @Test(
        "refuses a file whose first record cannot name the columns",
        arguments: ["a,b\n", "code,code,name,price\n", "co\"de\n"]
    )
    func badHeader(text: String) {
        #expect(throws: Failure.self) { try rows(text) }
    }

    @Test("a report keeps the first refused rows and counts the rest")
    func boundedReport() {
        var report = CatalogueImport.Report()
        for line in (1...500).reversed() { report.refuse(line: line, reason: "bad") }
        #expect(report.refused == 500)
        #expect(report.failures.map(\.line) == Array(1...CatalogueImport.Report.failureLimit))
    }
}
