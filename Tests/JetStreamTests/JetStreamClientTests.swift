import TestSupport
import Testing

@testable import JetStream

/// Against a real nats-server: streams, acknowledgements, fences.
@Suite(
    "JetStreamClient",
    .serialized,
    .enabled(if: NATSServer.executable != nil, Comment(rawValue: NATSServer.missing))
)
struct JetStreamClientTests {
    private static func withClient(
        inFlight: Int = 512,
        _ body: (JetStreamClient, NATSServer) async throws -> Void
    ) async throws {
        let server = try NATSServer()
        var configuration = NATSConfiguration(servers: [try NATSAddress(url: server.url)])
        configuration.limits.inFlight = inFlight
        let connection = try await NATSConnection.open(configuration)
        try await body(JetStreamClient(connection), server)
        await connection.close()
        server.kill()
    }

    private static func code<Value>(_ outcome: Result<Value, NATSError>?) -> NATSError.Code? {
        if case .failure(let error)? = outcome { error.code } else { nil }
    }

    private static func message(_ id: String, after previous: String? = nil, subject: String = "t.1") -> OutgoingMessage
    {
        var headers: NATSHeaders = ["Nats-Msg-Id": id]
        if let previous { headers.add("Nats-Expected-Last-Msg-Id", previous) }
        return OutgoingMessage(subject: subject, headers: headers, payload: Array("body of \(id)".utf8))
    }

    @Test("makes a stream once, finds it again, and refuses one that takes other subjects or is kept in memory")
    func streams() async throws {
        try await Self.withClient { client, _ in
            #expect(try await client.stream("T") == nil)
            let wanted = try StreamConfiguration(name: "T", subjects: ["t.>"], maximumAge: .seconds(3_600))
            let made = try await client.ensureStream(wanted)
            #expect(made.name == "T" && made.subjects == ["t.>"] && made.isStoredInFiles && made.lastSequence == 0)
            #expect(try await client.ensureStream(wanted) == made)
            let other = try StreamConfiguration(name: "T", subjects: ["u.>"])
            let error = await #expect(throws: NATSError.self) { try await client.ensureStream(other) }
            #expect(error?.code == .invalidConfiguration)
            // Two streams cannot take the same subjects.
            let overlapping = try StreamConfiguration(name: "U", subjects: ["t.1"])
            let refused = await #expect(throws: NATSError.self) { try await client.createStream(overlapping) }
            guard case .refused(status: 400, _)? = refused?.code else {
                return #expect(Bool(false), "\(String(describing: refused))")
            }
            let memory = #"{"name":"M","subjects":["m.>"],"storage":"memory"}"#
            let request = OutgoingMessage(subject: "$JS.API.STREAM.CREATE.M", payload: Array(memory.utf8))
            _ = try await client.connection.request(request)
            let inMemory = await #expect(throws: NATSError.self) {
                try await client.ensureStream(try StreamConfiguration(name: "M", subjects: ["m.>"]))
            }
            #expect(inMemory?.code == .invalidConfiguration)
        }
    }

    @Test("takes a stream whose subjects are wider; not one that drops what was read, or acknowledges nothing")
    func existing() async throws {
        func refusal(_ configuration: String) async throws -> NATSError.Code? {
            var code: NATSError.Code?
            try await Self.withClient { client, _ in
                let made = OutgoingMessage(
                    subject: "$JS.API.STREAM.CREATE.T",
                    payload: Array(#"{"name":"T","storage":"file",\#(configuration)}"#.utf8)
                )
                _ = try await client.connection.request(made)
                #expect(try await client.stream("T") != nil)
                do throws(NATSError) {
                    let wanted = try StreamConfiguration(name: "T", subjects: ["t.a.>"])
                    #expect(try await client.ensureStream(wanted).name == "T")
                } catch { code = error.code }
            }
            return code
        }
        #expect(try await refusal(#""subjects":["u","t.>"]"#) == nil)
        #expect(try await refusal(#""subjects":["t.*.>"]"#) == nil)
        #expect(try await refusal(#""subjects":["t.a.*"]"#) == .invalidConfiguration)
        #expect(try await refusal(#""subjects":["t.>"],"retention":"workqueue""#) == .invalidConfiguration)
        #expect(try await refusal(#""subjects":["t.>"],"retention":"interest""#) == .invalidConfiguration)
        #expect(try await refusal(#""subjects":["t.>"],"no_ack":true"#) == .invalidConfiguration)
    }

    @Test("a pattern covers another when it takes all that the other takes")
    func patterns() {
        for (pattern, other) in [
            (">", "a.>"), ("a.>", "a.>"), ("a.>", "a.b.*"), ("*.>", "a.>"), ("*", "a"), ("a.*.c", "a.b.c"), ("*", "*"),
        ] {
            #expect(NATSSubject.pattern(pattern, covers: other), "\(pattern) \(other)")
        }
        for (pattern, other) in [
            ("a", "b"), ("a.*", "a.>"), ("a.b", "a.*"), ("a.>", "a"), ("a.>", ">"), ("*", ">"), ("a.*", "a.b.c"),
            ("a.b.c", "a.b"), ("*.*", "*.>"),
        ] {
            #expect(!NATSSubject.pattern(pattern, covers: other), "\(pattern) \(other)")
        }
    }

    @Test("names and replicas are checked before anything is sent")
    func configuration() {
        for name in ["", "a.b", "a b", "a*", "é"] {
            #expect(throws: NATSError.self) { try StreamConfiguration(name: name, subjects: []) }
        }
        for replicas in [0, 6] {
            #expect(throws: NATSError.self) { try StreamConfiguration(name: "a", subjects: [], replicas: replicas) }
        }
    }

    @Test("acknowledges in order, tells duplicates, and gives back what it keeps")
    func publishing() async throws {
        try await Self.withClient { client, _ in
            _ = try await client.ensureStream(try StreamConfiguration(name: "T", subjects: ["t.>"]))
            #expect(try await client.lastMessage("T", subject: "t.>") == nil)
            let count = 2_000
            let messages = (1...count).map { Self.message("\($0)", after: $0 > 1 ? "\($0 - 1)" : nil) }
            let outcomes = await client.publish(messages)
            #expect(try outcomes.map { try $0.get().sequence } == (1...Int64(count)).map { $0 })
            let again = await client.publish([Self.message("7")])
            #expect(try again.first?.get().isDuplicate == true && again.first?.get().sequence == 7)
            let last = try #require(try await client.lastMessage("T", subject: "t.>"))
            #expect(last.sequence == Int64(count) && last.headers["Nats-Msg-Id"] == "\(count)")
            #expect(last.payload == Array("body of \(count)".utf8) && last.subject == "t.1")
            #expect(try await client.message("T", sequence: 3)?.headers["Nats-Msg-Id"] == "3")
            #expect(try await client.message("T", sequence: 9_999) == nil)
            #expect(try await client.stream("T")?.lastSequence == Int64(count))
        }
    }

    @Test("a message that does not follow the one it names is refused, and so is all that was in flight behind it")
    func fence() async throws {
        try await Self.withClient { client, _ in
            _ = try await client.ensureStream(try StreamConfiguration(name: "T", subjects: ["t.>"]))
            let first = await client.publish([Self.message("1"), Self.message("2", after: "1")])
            #expect(first.allSatisfy { Self.code($0) == nil })
            let stale = await client.publish([Self.message("x", after: "1"), Self.message("y", after: "x")])
            #expect(Self.code(stale[0]) == .refused(status: 400, code: JetStreamErrorCode.wrongLastMessageID))
            #expect(Self.code(stale[1]) != nil)
            #expect(try await client.stream("T")?.lastSequence == 2)
            let wrongStream = OutgoingMessage(subject: "t.1", headers: ["Nats-Expected-Stream": "V"])
            guard case .refused? = Self.code(await client.publish([wrongStream]).first) else {
                return #expect(Bool(false), "it was taken")
            }
        }
    }

    @Test("after a failure nothing more of the same call is sent")
    func stops() async throws {
        try await Self.withClient(inFlight: 1) { client, _ in
            _ = try await client.ensureStream(try StreamConfiguration(name: "T", subjects: ["t.>"]))
            let outcomes = await client.publish(
                [Self.message("1"), Self.message("2", subject: "elsewhere"), Self.message("3"), Self.message("4")]
            )
            #expect(outcomes.map { Self.code($0) } == [nil, .noResponders, .notSent, .notSent])
            #expect(try await client.stream("T")?.lastSequence == 1)
        }
    }

    @Test("a stream in a cluster of three takes a pipelined chain, and a crash of one server loses nothing")
    func cluster() async throws {
        let ports = try (0..<3).map { _ in try NATSServer.freePort() }
        let routes = ports.map { "nats://127.0.0.1:\($0)" }.joined(separator: ", ")
        let servers = try ports.enumerated().map { index, port in
            try NATSServer(
                options: """
                    server_name: n\(index)
                    cluster { name: c, listen: "127.0.0.1:\(port)", routes: [\(routes)] }
                    """
            )
        }
        var configuration = NATSConfiguration(servers: try servers.map { try NATSAddress(url: $0.url) })
        configuration.requestTimeout = .seconds(10)
        let client = JetStreamClient(try await NATSConnection.open(configuration))
        let wanted = try StreamConfiguration(name: "T", subjects: ["t.>"], replicas: 3)
        // The cluster has no leader at first.
        let deadline = ContinuousClock.now + .seconds(30)
        var stream: StreamInfo?
        while stream == nil, .now < deadline { stream = try? await client.ensureStream(wanted) }
        #expect(stream?.replicas == 3)
        let messages = (1...1_000).map { Self.message("\($0)", after: $0 > 1 ? "\($0 - 1)" : nil) }
        let outcomes = await client.publish(messages)
        #expect(
            outcomes.allSatisfy { Self.code($0) == nil },
            "\(outcomes.compactMap { Self.code($0) })"
        )
        await client.connection.close()
        servers[0].kill()
        let second = JetStreamClient(try await NATSConnection.open(configuration))
        var last: StoredMessage?
        while last == nil, .now < deadline { last = try? await second.lastMessage("T", subject: "t.>") }
        #expect(last?.headers["Nats-Msg-Id"] == "1000")
        await second.connection.close()
        for server in servers { server.kill() }
    }
}
