import Testing

@testable import rastro

@Suite("CSVRecord")
struct CSVRecordTests {
    private func cells(_ lines: String...) throws -> [String] {
        var record = CSVRecord()
        for (index, line) in lines.enumerated() {
            #expect(record.isOpen == (index > 0))
            try record.append(Array(line.utf8)[...])
        }
        #expect(!record.isOpen)
        return record.cells
    }

    @Test("reads plain, quoted and empty cells")
    func plain() throws {
        #expect(try cells("a,b") == ["a", "b"])
        #expect(try cells("") == [""])
        #expect(try cells(",") == ["", ""])
        #expect(try cells(#""a,b","","c""d","""""#) == ["a,b", "", "c\"d", "\""])
    }

    @Test("goes on over line breaks in quotes")
    func lineBreaks() throws {
        #expect(try cells(#"1,"a"#, "", #"b",2"#) == ["1", "a\n\nb", "2"])
        #expect(try cells(#"""#, #"""#) == ["\n"])
    }

    @Test(
        "refuses quotes that mean nothing, and bytes that are no text",
        arguments: [
            (Array(#"12" desk,1"#.utf8), CSVRecord.Fault.strayQuote), (Array(#""a" ,1"#.utf8), .textAfterQuote),
            (Array(#""a"b"#.utf8), .textAfterQuote), ([0xFF], .notUTF8), ([0xC3, UInt8(ascii: ",")], .notUTF8),
        ]
    )
    func refuses(line: [UInt8], fault: CSVRecord.Fault) {
        var record = CSVRecord()
        #expect(throws: fault) { try record.append(line[...]) }
    }

    @Test("reads back what a writer that quotes everything wrote")
    func roundTrip() throws {
        for seed in 0..<300 as Range<UInt64> {
            var generator = SeededGenerator(seed: seed)
            let written = (0..<Int.random(in: 1...5, using: &generator)).map { _ in
                String(
                    (0..<Int.random(in: 0...6, using: &generator)).map { _ in
                        "\",\na é".randomElement(using: &generator) ?? "x"
                    }
                )
            }
            let text = written.map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ",")
            var record = CSVRecord()
            for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
                try record.append(Array(line.utf8)[...])
            }
            #expect(!record.isOpen && record.cells == written, "seed \(seed)")
        }
    }
}
