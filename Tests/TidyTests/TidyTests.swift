import Testing

/// The rules of style that a machine can hold.
@Suite("The sources are tidy")
struct TidyTests {
    private static let fileLimit = 450
    private static let functionLimit = 60

    private static let sources = Repository.files(under: "Sources", endingWith: ".swift")
    private static let code = Dictionary(
        uniqueKeysWithValues: sources.map { ($0, SwiftText(Repository.text($0) ?? "")) }
    )
    private static let statements = Repository.files(under: "sql", endingWith: ".sql").filter { $0 != "sql/schema.sql" }

    /// The code of a source file, line by line.
    private static func lines(_ path: String) -> [String] { code[path]?.lines ?? [] }

    @Test("there are sources to look at")
    func found() {
        #expect(Self.sources.count > 150)
        #expect(Self.statements.count > 50)
    }

    @Test("nothing is forced: no try!, as! or force unwrap", arguments: sources)
    func nothingForced(path: String) {
        for (index, line) in Self.lines(path).enumerated() {
            #expect(!Self.forces(line), "\(path):\(index + 1)")
        }
    }

    private static func forces(_ line: String) -> Bool { line.contains(/[\w)\]}"?]!(?!=)/) }

    @Test("what the compiler cannot check has its proof next to it", arguments: sources)
    func unchecked(path: String) {
        let lines = Repository.lines(path)
        let code = Self.lines(path)
        for index in code.indices where code[index].contains(/@unchecked\b|\bnonisolated\(unsafe\)/) {
            let near = lines[max(index - 1, 0)...min(index + 1, lines.count - 1)]
            #expect(near.contains(where: Self.isProof), "\(path):\(index + 1)")
        }
    }

    private static func isProof(_ line: String) -> Bool { line.contains(/^\s*\/\/ (Sendable|Safe)\b[^:]*: .{20,}/) }

    @Test("files and functions are short enough to see whole", arguments: sources)
    func short(path: String) throws {
        let text = try #require(Self.code[path])
        #expect(text.lines.count - 1 <= Self.fileLimit, "\(path)")
        for function in text.functions {
            #expect(function.length <= Self.functionLimit, "\(path):\(function.line) has \(function.length) lines")
        }
    }

    @Test("every statement says what it is for and is used by its module", arguments: statements)
    func statement(path: String) throws {
        let parts = path.split(separator: "/")
        try #require(parts.count == 3, "\(path) lies in no module's folder")
        #expect(Repository.text(path)?.hasPrefix("-- ") == true, "\(path) has no header")
        let words = parts[2].dropLast(4).split(separator: "_")
        let name = words[0] + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
        #expect(Self.isUsed(String(name), in: String(parts[1])), "nothing in Sources/\(parts[1]) uses \(name)")
    }

    private static func isUsed(_ name: String, in module: String) -> Bool {
        sources.filter { $0.hasPrefix("Sources/\(module)/") }.contains { path in
            lines(path).contains { line in
                line.split { !($0.isLetter || $0.isNumber) }.contains { $0 == name }
            }
        }
    }

    @Test("no file names a directory of somebody's machine")
    func noMachinePaths() {
        // Put together here, so that this file does not name them either.
        let directories = ["home", "root", "Users", "work"].map { "/\($0)/" }
        for path in Repository.files() {
            for (index, line) in Repository.lines(path).enumerated() {
                for directory in directories where Self.names(directory, line) {
                    Issue.record("\(path):\(index + 1) names \(directory)")
                }
            }
        }
    }

    /// Whether a path in the line starts with the directory: `docs/work/x` does not.
    private static func names(_ directory: String, _ line: String) -> Bool {
        line.ranges(of: directory).contains { range in
            guard range.lowerBound > line.startIndex else { return true }
            let before = line[line.index(before: range.lowerBound)]
            return !(before.isLetter || before.isNumber || "._-/}".contains(before))
        }
    }
}
