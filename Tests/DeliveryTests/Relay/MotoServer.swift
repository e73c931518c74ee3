import AsyncHTTPClient
import Catalog
import EmbeddedPostgres
import EventLog
import Foundation
import NIOCore
import NIOHTTP1
import SQSProtocol

/// moto's imitation of AWS on a free loopback port, started by a test.
final class MotoServer: Sendable {
    static let executable: String? = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
        .map { "\($0)/moto_server" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    static let missing = "moto_server is not installed: pip install 'moto[server]'"

    let url: String
    private let process: ChildProcess
    /// The server ends when this closes, however this process ends.
    private let lifeline: Int32
    private static let script = """
        "$1" -H 127.0.0.1 -p "$2" < /dev/null > /dev/null 2>&1 &
        server=$!
        cat > /dev/null
        kill -9 $server
        """
    private let client = HTTPClient(eventLoopGroupProvider: .singleton)

    /// Returns when it answers.
    private init() async throws {
        let port = try Self.freePort()
        url = "http://127.0.0.1:\(port)"
        let channel = try ChildProcess.Channel()
        defer { close(channel.theirs) }
        lifeline = channel.ours
        process = try ChildProcess.spawn(
            ["/bin/sh", "-c", Self.script, "moto", Self.executable ?? "", "\(port)"],
            environment: ProcessInfo.processInfo.environment,
            input: channel.theirs
        )
        let deadline = ContinuousClock.now + .seconds(30)
        while true {
            if let answer = try? await client.execute(HTTPClientRequest(url: "\(url)/moto-api/"), timeout: .seconds(1)),
                answer.status == .ok
            {
                return
            }
            guard ContinuousClock.now < deadline else { throw POSIXError(.ETIMEDOUT) }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// Runs `body` with a server of its own.
    static func run(_ body: @Sendable (MotoServer) async throws -> Void) async throws {
        let server = try await MotoServer()
        do { try await body(server) } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    private func stop() async {
        close(lifeline)
        _ = process.wait(until: .now + .seconds(5))
        try? await client.shutdown()
    }

    private static func freePort() throws -> Int {
        let server = try LoopbackServer(requests: { _ in LoopbackServer.Answer() })
        defer { server.stop() }
        return server.port
    }

    private func call(_ operation: String, _ body: JSONValue) async throws -> JSONValue {
        var writer = JSONWriter()
        writer.value(body)
        var signable = SignableRequest(
            method: "POST",
            path: "/",
            fields: [
                SignableRequest.Field("host", String(url.dropFirst("http://".count))),
                SignableRequest.Field("content-type", "application/x-amz-json-1.0"),
                SignableRequest.Field("x-amz-target", "AmazonSQS.\(operation)"),
            ],
            body: writer.bytes
        )
        RequestSigner(AccessKey(id: "AKIDEXAMPLE", secret: "not-a-secret"), region: "eu-west-1")
            .sign(&signable, at: .now())
        var request = HTTPClientRequest(url: "\(url)/")
        request.method = .POST
        for field in signable.fields { request.headers.add(name: field.name, value: field.value) }
        request.body = .bytes(ByteBuffer(bytes: writer.bytes))
        let response = try await client.execute(request, timeout: .seconds(10))
        return try JSONParser.parse(Array(try await response.body.collect(upTo: 8 << 20).readableBytesView))
    }

    private static func object(_ members: [String: JSONValue]) -> JSONValue {
        .object(members.sorted { $0.key < $1.key }.map { JSONMember(key: $0.key, value: $0.value) })
    }

    /// Makes a queue; its URL.
    func createQueue(_ name: String) async throws -> String {
        var members: [String: JSONValue] = ["QueueName": .string(name)]
        if name.hasSuffix(".fifo") { members["Attributes"] = Self.object(["FifoQueue": .string("true")]) }
        guard case .string(let made)? = try await call("CreateQueue", Self.object(members))["QueueUrl"] else {
            throw POSIXError(.EPROTO)
        }
        return made
    }

    /// Receives and deletes until nothing is left; bodies in order of receipt.
    func drain(_ queue: String) async throws -> [JSONValue] {
        var bodies: [JSONValue] = []
        while true {
            let received = try await call(
                "ReceiveMessage",
                Self.object(["QueueUrl": .string(queue), "MaxNumberOfMessages": .integer(10)])
            )
            guard case .array(let messages)? = received["Messages"], !messages.isEmpty else { return bodies }
            for message in messages {
                guard case .string(let body)? = message["Body"], let handle = message["ReceiptHandle"] else { continue }
                bodies.append(try JSONParser.parse(Array(body.utf8)))
                _ = try await call("DeleteMessage", Self.object(["QueueUrl": .string(queue), "ReceiptHandle": handle]))
            }
        }
    }
}
