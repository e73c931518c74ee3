import Foundation
import Testing

@testable import EventLog
@testable import rastro

@Suite("The file of the server's secret")
struct ServerSecretFileTests {
    private static func withDirectory(_ body: (String) async throws -> Void) async throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: path) }
        try await body(path)
    }

    private static func write(_ contents: Data, to path: String, mode: Int) throws {
        let attributes: [FileAttributeKey: Any] = [.posixPermissions: mode]
        try #require(FileManager.default.createFile(atPath: path, contents: contents, attributes: attributes))
    }

    private static func file(_ path: String) throws -> ServerSecretFile {
        try #require(ServerSecretFile(dataDirectory: nil, environment: ["RASTRO_SECRET_FILE": path]))
    }

    @Test("is the one that is named, else lies in the data directory, else is nowhere")
    func place() {
        let named = ["RASTRO_SECRET_FILE": "named"]
        #expect(ServerSecretFile(dataDirectory: "data", environment: named)?.path == "named")
        #expect(ServerSecretFile(dataDirectory: "data", environment: [:])?.path == "data/server-secret")
        #expect(ServerSecretFile(dataDirectory: nil, environment: ["RASTRO_SECRET_FILE": ""]) == nil)
    }

    @Test("is made once, for its owner only, whoever is first")
    func making() async throws {
        try await Self.withDirectory { directory in
            let path = directory + "/secret"
            let file = try Self.file(path)
            let keys = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<20 {
                    group.addTask { try file.readOrMake().secretAccessKey(of: "k", generation: 1) }
                }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(keys.count == 1)
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["secret"])
        }
    }

    @Test(
        "that others can read, that is too short or that is absent is refused and left as it is",
        arguments: [
            (0o644, 64), (0o660, 64), (0o600, 31), (0o600, 0),
        ]
    )
    func refused(mode: Int, count: Int) async throws {
        try await Self.withDirectory { directory in
            let path = directory + "/secret"
            let text = Data(String(repeating: "x", count: count).utf8)
            try Self.write(text, to: path, mode: mode)
            #expect(throws: Failure.self) { try Self.file(path).readOrMake() }
            #expect(FileManager.default.contents(atPath: path) == text)
            #expect(throws: Failure.self) { try Self.file(directory + "/absent").read() }
        }
    }

    @Test("may end with a line's end, and a group may read it")
    func reading() async throws {
        try await Self.withDirectory { directory in
            let text = String(repeating: "x", count: 40)
            let wanted = try #require(ServerSecret(text)).secretAccessKey(of: "k", generation: 1)
            for (name, written, mode) in [("a", text, 0o440), ("b", text + "\n", 0o600), ("c", text + "\r\n", 0o400)] {
                let path = directory + "/" + name
                let contents = Data(written.utf8)
                try Self.write(contents, to: path, mode: mode)
                #expect(try Self.file(path).read().secretAccessKey(of: "k", generation: 1) == wanted)
            }
        }
    }
}
