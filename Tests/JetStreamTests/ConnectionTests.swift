import EmbeddedPostgres
import Foundation
import NIOCore
import TestSupport
import Testing

@testable import JetStream

/// Against a real nats-server: who may connect, how, and what becomes of requests when it goes away.
@Suite("NATSConnection", .serialized, .enabled(if: NATSServer.executable != nil, Comment(rawValue: NATSServer.missing)))
struct ConnectionTests {
    private static func configuration(
        _ server: NATSServer,
        _ credentials: NATSCredentials = .none,
        change: (inout NATSConfiguration) -> Void = { _ in }
    ) throws -> NATSConfiguration {
        var configuration = NATSConfiguration(servers: [try NATSAddress(url: server.url)], credentials: credentials)
        change(&configuration)
        return configuration
    }

    /// Why no connection could be made; nil: one was.
    private static func refusal(_ configuration: NATSConfiguration) async -> NATSError.Code? {
        do throws(NATSError) {
            let connection = try await NATSConnection.open(configuration)
            let info = try? await connection.request(OutgoingMessage(subject: "$JS.API.INFO"))
            #expect(info != nil)
            await connection.close()
            return nil
        } catch { return error.code }
    }

    @Test("a name and password, or a token, open the door; others and none do not")
    func passwords() async throws {
        let server = try NATSServer(options: "authorization { user: ana, password: \"s3 cret\" }")
        #expect(try await Self.refusal(Self.configuration(server, .user("ana", password: "s3 cret"))) == nil)
        #expect(
            try await Self.refusal(Self.configuration(server, .user("ana", password: "x"))) == .authenticationFailed
        )
        #expect(try await Self.refusal(Self.configuration(server)) == .authenticationFailed)
        let other = try NATSServer(options: "authorization { token: \"t0ken\" }")
        #expect(try await Self.refusal(Self.configuration(other, .token("t0ken"))) == nil)
        #expect(try await Self.refusal(Self.configuration(other, .token("other"))) == .authenticationFailed)
        server.kill()
        other.kill()
    }

    @Test("an NKey that the server lists opens the door, another does not")
    func nkeys() async throws {
        let key = try NKey(.user, seedBytes: (0..<32).map { _ in UInt8.random(in: 0 ... .max) })
        let other = try NKey(.user, seedBytes: (0..<32).map { _ in UInt8.random(in: 0 ... .max) })
        let server = try NATSServer(options: "authorization { users: [ { nkey: \(key.publicKey) } ] }")
        #expect(try await Self.refusal(Self.configuration(server, .nkey(seed: key.seed))) == nil)
        #expect(try await Self.refusal(Self.configuration(server, .nkey(seed: other.seed))) == .authenticationFailed)
        server.kill()
    }

    @Test("a .creds file with a JWT of the operator's account opens the door; one that another account signed does not")
    func credentialsFile() async throws {
        let authority = try NATSAuthority()
        let server = try NATSServer(options: authority.serverOptions)
        #expect(try await Self.refusal(Self.configuration(server, .file(authority.credentials()))) == nil)
        let foreign = try NATSAuthority().credentials()
        #expect(try await Self.refusal(Self.configuration(server, .file(foreign))) == .authenticationFailed)
        server.kill()
    }

    @Test("TLS: trusted certificates only, for the right host; a tls:// address insists on it")
    func tls() async throws {
        let directory = try TemporaryDirectory.make()
        let certificate = try Self.makeCertificate(directory)
        let options = "tls { cert_file: \"DIRECTORY/cert.pem\", key_file: \"DIRECTORY/key.pem\" }"
        let server = try NATSServer(options: options, directory: directory)
        let address = NATSAddress(host: "127.0.0.1", port: server.port)
        func code(_ address: NATSAddress, trusts: String?) async -> NATSError.Code? {
            await Self.refusal(NATSConfiguration(servers: [address], trustedCertificates: trusts))
        }
        #expect(await code(address, trusts: certificate) == nil)
        #expect(await code(address, trusts: nil) == .connectFailed)
        let elsewhere = try TemporaryDirectory.make()
        let foreign = try Self.makeCertificate(elsewhere, for: "IP:127.0.0.2")
        let impostor = try NATSServer(options: options, directory: elsewhere)
        #expect(
            await code(NATSAddress(host: "127.0.0.1", port: impostor.port), trusts: foreign) == .connectFailed
        )
        impostor.kill()
        #expect(await code(address, trusts: directory + "/none.pem") == .invalidConfiguration)
        let plain = try NATSServer()
        let insisting = NATSAddress(host: "127.0.0.1", port: plain.port, requiresTLS: true)
        #expect(await code(insisting, trusts: certificate) == .connectFailed)
        server.kill()
        plain.kill()
    }

    /// A throw-away certificate, which is its own authority.
    private static func makeCertificate(_ directory: String, for name: String = "IP:127.0.0.1") throws -> String {
        try ChildProcess.succeed(
            [
                "/usr/bin/openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days", "1", "-subj", "/CN=rastro test", "-addext", "subjectAltName=\(name)", "-keyout",
                directory + "/key.pem", "-out", directory + "/cert.pem",
            ],
            timeout: .seconds(30)
        )
        return directory + "/cert.pem"
    }

    @Test("the next address is tried when one does not answer")
    func addresses() async throws {
        let server = try NATSServer()
        let silent = try NATSServer()
        silent.pause()
        var configuration = NATSConfiguration(
            servers: [
                NATSAddress(host: "127.0.0.1", port: 1), try NATSAddress(url: silent.url),
                try NATSAddress(url: server.url),
            ]
        )
        configuration.connectTimeout = .milliseconds(300)
        configuration.headStart = .seconds(60)
        let connection = try await NATSConnection.open(configuration)
        #expect(connection.address.port == server.port)
        await connection.close()
        configuration.servers.removeLast()
        #expect(await Self.refusal(configuration) == .timeout)
        silent.kill()
        server.kill()
    }

    @Test("addresses that are silent cost their head start, not their time; the first that answers is taken")
    func silentAddresses() async throws {
        let (server, other) = (try NATSServer(), try NATSServer())
        let silent = try (0..<2).map { _ in try ScriptedServer(greeting: "") }
        let first = silent.map { NATSAddress(host: "127.0.0.1", port: $0.port) }
        let last = [try NATSAddress(url: server.url), try NATSAddress(url: other.url)]
        var configuration = NATSConfiguration(servers: first + last)
        configuration.connectTimeout = .seconds(60)
        configuration.headStart = .milliseconds(100)
        let before = ContinuousClock.now
        let connection = try await NATSConnection.open(configuration)
        #expect(ContinuousClock.now - before < .seconds(10))
        #expect(connection.address == last[0])
        // Nothing stays open of the attempts that are not needed any more.
        for server in silent { #expect(await server.hasEndedConnection) }
        await connection.close()
        for server in silent { server.stop() }
        server.kill()
        other.kill()
    }

    @Test("who gives up waiting does so at once, and leaves nothing open", .timeLimit(.minutes(1)))
    func cancelled() async throws {
        let silent = try ScriptedServer(greeting: "")
        let addresses = (0..<8).map { _ in NATSAddress(host: "127.0.0.1", port: silent.port) }
        var configuration = NATSConfiguration(servers: addresses)
        configuration.connectTimeout = .seconds(120)
        let opening = Task { await Self.refusal(configuration) }
        #expect(await silent.hasConnection)
        opening.cancel()
        #expect(await opening.value == .cancelled)
        #expect(await silent.hasEndedConnection)
        silent.stop()
        let server = try NATSServer()
        let connection = try await NATSConnection.open(
            Self.configuration(server) { $0.requestTimeout = .seconds(120) }
        )
        server.pause()
        let request = Task { await Self.failure(connection, "$JS.API.INFO") }
        request.cancel()
        #expect(await request.value == .connectionLost)
        #expect(!connection.isOpen)
        server.kill()
    }

    @Test("what comes in clear behind the greeting is not taken for what comes through TLS")
    func injected() async throws {
        let server = try ScriptedServer(
            greeting: "INFO {\"headers\":true,\"tls_required\":true,\"max_payload\":1048576}\r\nPONG\r\n"
        )
        let address = NATSAddress(host: "127.0.0.1", port: server.port)
        #expect(await Self.refusal(NATSConfiguration(servers: [address])) == .protocolViolation)
        server.stop()
    }

    @Test("an answer counts only when it comes to the inbox, by its subscription")
    func inbox() async throws {
        let server = try ScriptedServer(greeting: "INFO {\"headers\":true}\r\n") { piece in
            guard let request = piece.split(separator: "\r\n").first(where: { $0.hasPrefix("PUB ") }) else {
                return piece.contains("PING") ? "PONG\r\n" : ""
            }
            let inbox = request.split(separator: " ")[2]
            let token = inbox.split(separator: ".").last ?? ""
            return "MSG other.\(token) 1 3\r\nBAD\r\nMSG \(inbox) 2 3\r\nBAD\r\nMSG \(inbox) 1 4\r\nGOOD\r\n"
        }
        let address = NATSAddress(host: "127.0.0.1", port: server.port)
        let connection = try await NATSConnection.open(NATSConfiguration(servers: [address]))
        let answer = try await connection.request(OutgoingMessage(subject: "a"))
        #expect(String(buffer: answer.payload) == "GOOD")
        await connection.close()
        server.stop()
    }

    @Test("nobody listens: the answer comes at once and says so; permissions that lack are told too")
    func noResponders() async throws {
        let server = try NATSServer(
            options: """
                authorization { users: [ { user: a, password: b, permissions: { publish: { deny: ["secret"] } } } ] }
                """
        )
        let connection = try await NATSConnection.open(Self.configuration(server, .user("a", password: "b")))
        #expect(await Self.failure(connection, "nowhere") == .noResponders)
        #expect(await Self.failure(connection, "secret") == .permissionDenied)
        #expect(await Self.failure(connection, "a b") == .invalidRequest)
        #expect(await Self.failure(connection, "nowhere") == .noResponders)
        let long = OutgoingMessage(
            subject: "a",
            payload: [UInt8](repeating: 0, count: connection.info.payloadLimitBytes)
        )
        let outcome = await connection.exchange([long]).first
        guard case .failure(let error)? = outcome else { return #expect(Bool(false), "it was sent") }
        #expect(error.code == .payloadTooLarge)
        await connection.close()
        server.kill()
    }

    private static func failure(_ connection: NATSConnection, _ subject: String) async -> NATSError.Code? {
        do throws(NATSError) {
            _ = try await connection.request(OutgoingMessage(subject: subject))
            return nil
        } catch { return error.code }
    }

    @Test("a server that goes silent: requests end in time, and the keep-alive ends the connection")
    func silence() async throws {
        let server = try NATSServer()
        let connection = try await NATSConnection.open(
            Self.configuration(server) {
                $0.requestTimeout = .milliseconds(150)
                $0.pingInterval = .milliseconds(200)
            }
        )
        server.pause()
        #expect(await Self.failure(connection, "$JS.API.INFO") == .timeout)
        var last: NATSError.Code?
        while connection.isOpen { last = await Self.failure(connection, "$JS.API.INFO") }
        #expect(last == .timeout || last == .connectionLost)
        #expect(await Self.failure(connection, "$JS.API.INFO") == .connectionLost)
        server.kill()
    }

    @Test("kill -9 of the server ends what is in flight, and what comes later, with connectionLost")
    func killed() async throws {
        let server = try NATSServer()
        let connection = try await NATSConnection.open(Self.configuration(server))
        server.pause()
        async let pending = Self.failure(connection, "$JS.API.INFO")
        server.kill()
        #expect(await pending == .connectionLost)
        #expect(await Self.failure(connection, "$JS.API.INFO") == .connectionLost)
        #expect(!connection.isOpen)
        #expect(try await Self.refusal(Self.configuration(server)) == .connectFailed)
    }

    @Test("with more requests than may wait, the rest is refused and the others are answered")
    func overload() async throws {
        let server = try NATSServer()
        let connection = try await NATSConnection.open(
            Self.configuration(server) {
                $0.limits.inFlight = 4
                $0.limits.waiting = 20
            }
        )
        let messages = Array(repeating: OutgoingMessage(subject: "$JS.API.INFO"), count: 30)
        let answers = await connection.exchange(messages)
        let codes = answers.map { answer -> NATSError.Code? in
            if case .failure(let error) = answer { error.code } else { nil }
        }
        #expect(codes.suffix(10).allSatisfy { $0 == .overloaded })
        // A refused message stops those behind it, and those that wait before it are not sent any more.
        #expect(codes.prefix(20).allSatisfy { $0 == .notSent })
        let fits = await connection.exchange(Array(messages.prefix(20)))
        #expect(fits.allSatisfy { (try? $0.get()) != nil })
        await connection.close()
        server.kill()
    }
}
