import Testing

@testable import rastro

@Suite("LineReader")
struct LineReaderTests {
    /// Every line of `bytes`: its text, or nil for one that is too long.
    private func lines(_ bytes: [UInt8]) throws -> [String?] {
        try ScratchFile.with(bytes) { path in
            var reader = try LineReader(path: path)
            var found: [String?] = []
            while let line = try reader.next() {
                #expect(reader.number == found.count + 1)
                found.append(Self.text(line))
            }
            #expect(reader.position == bytes.count)
            #expect(reader.size == bytes.count)
            return found
        }
    }

    private static func text(_ line: LineReader.Line) -> String? {
        guard case .text(let bytes) = line else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test(
        "ends lines at LF and CR LF, and gives a last one without an end",
        arguments: [
            ("", []), ("\n", [""]), ("a", ["a"]), ("a\n", ["a"]), ("a\r\nb", ["a", "b"]),
            ("a\n\n\r\nb\n", ["a", "", "", "b"]),
        ]
    )
    func ends(text: String, expected: [String]) throws {
        #expect(try lines(Array(text.utf8)) == expected)
    }

    @Test("drops a byte order mark at the file's start and nowhere else")
    func byteOrderMark() throws {
        #expect(try lines(Array("\u{FEFF}a\n\u{FEFF}b".utf8)) == ["a", "\u{FEFF}b"])
        #expect(try lines(Array("\u{FEFF}".utf8)) == [""])
    }

    @Test("tells of a line that is too long and goes on with the next", arguments: [1, 300_000, 5_000_000])
    func tooLong(excess: Int) throws {
        let limit = LineReader.lineLimitBytes
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: limit + excess)
        let longest = String(repeating: "y", count: limit)
        let bytes = Array("a\n".utf8) + long + Array("\n\(longest)\nb\n".utf8) + long
        #expect(try lines(bytes) == ["a", nil, longest, "b", nil])
    }

    @Test("goes back to its mark, over blocks and long lines")
    func rewinds() throws {
        let line = String(repeating: "z", count: 100_000)
        let long = String(repeating: "x", count: LineReader.lineLimitBytes + 1)
        let text = "a\n" + String(repeating: line + "\n", count: 8) + long + "\nb\n"
        try ScratchFile.with(text) { path in
            var reader = try LineReader(path: path)
            _ = try reader.next()
            for round in 1...2 {
                if round == 1 { reader.setMark() }
                for number in 2...9 {
                    #expect(try reader.next().flatMap(Self.text) == line)
                    #expect(reader.number == number)
                }
                #expect(try reader.next() == .tooLong)
                if round == 1 { reader.rewind() }
                #expect(reader.number == (round == 1 ? 1 : 10))
            }
            #expect(try reader.next().flatMap(Self.text) == "b")
            #expect(try reader.next() == nil)
        }
    }

    @Test("says that a file is not there, or is a directory")
    func unreadable() throws {
        let missing = #expect(throws: Failure.self) { try LineReader(path: "no/such/file") }
        #expect(missing?.message == "cannot read no/such/file")
        let directory = #expect(throws: Failure.self) { try LineReader(path: ".") }
        #expect(directory?.message == ". is a directory")
    }
}
