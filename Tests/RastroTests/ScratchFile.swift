import Foundation

@testable import rastro

/// A file for one test, gone after it.
enum ScratchFile {
    static func with<Value>(_ bytes: [UInt8], _ body: (String) throws -> Value) throws -> Value {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    static func with<Value>(_ text: String, _ body: (String) throws -> Value) throws -> Value {
        try with(Array(text.utf8), body)
    }
}
