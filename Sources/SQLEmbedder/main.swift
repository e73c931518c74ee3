import Foundation

// Turns SQL files into Swift source.
//
//     SQLEmbedder <output.swift> <statements-directory> [<migrations-directory>]
//
// Each `name.sql` becomes a member of `enum Statements`; each `NNNN_name.sql` of the second directory an entry of
// `enum Migrations`. Names are snake_case in SQL and lowerCamelCase in Swift.

func fail(_ message: String) -> Never {
    FileHandle.standardError.write(Data("SQLEmbedder: \(message)\n".utf8))
    exit(1)
}

func sqlFiles(in directory: String) -> [(name: String, text: String)] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else { return [] }
    return names.filter { $0.hasSuffix(".sql") }.sorted().map { file in
        guard let text = try? String(contentsOfFile: directory + "/" + file, encoding: .utf8) else {
            fail("cannot read \(directory)/\(file) as UTF-8")
        }
        return (String(file.dropLast(4)), text)
    }
}

func lowerCamelCase(_ snake: String) -> String {
    let words = snake.split(separator: "_")
    return words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
}

func literal(_ text: String) -> String {
    var pounds = "##"
    while text.contains("\"\"\"" + pounds) { pounds += "#" }
    return pounds + "\"\"\"\n" + text + (text.hasSuffix("\n") ? "" : "\n") + "\"\"\"" + pounds
}

let arguments = CommandLine.arguments
guard arguments.count >= 3 else { fail("usage: SQLEmbedder <output.swift> <statements> [<migrations>]") }

var source = "// Generated from the .sql files at build time. Do not edit.\n\nimport LibPQ\n\n"
let statements = sqlFiles(in: arguments[2])
source += "/// The SQL statements of this module, one a file.\nenum Statements {\n"
for statement in statements {
    source += "static let \(lowerCamelCase(statement.name)) = Statement(name: \"\(statement.name)\", text: "
    source += literal(statement.text) + ")\n"
}
source += "static let all: [Statement] = ["
source += statements.map { lowerCamelCase($0.name) }.joined(separator: ", ") + "]\n}\n"

if arguments.count > 3 {
    source += "\n/// The schema changes in order; `text` is a whole transaction.\nenum Migrations {\n"
    source += "static let all: [(number: Int, name: String, text: String)] = [\n"
    for migration in sqlFiles(in: arguments[3]) {
        guard let number = Int(migration.name.prefix(4)) else { fail("\(migration.name).sql has no number") }
        source += "(\(number), \"\(migration.name)\", \(literal(migration.text))),\n"
    }
    source += "]\n}\n"
}

do {
    try source.write(toFile: arguments[1], atomically: true, encoding: .utf8)
} catch {
    fail("cannot write \(arguments[1]): \(error)")
}
