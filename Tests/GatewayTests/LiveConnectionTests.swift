import Catalog
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import Gateway

/// Over a real socket: what only a connection shows.
struct LiveConnectionTests {
    @Test func `a connection goes on after refused bodies`() async throws {
        try await TestGateway.run(.live) { gateway in
            let body = String(repeating: "x", count: 200_000)
            for _ in 0..<3 {
                let refused = try await gateway.send(.post, "/v1/products", as: nil, body, type: "application/json")
                #expect(refused.problem == "unauthenticated")
                #expect(refused.headers[.connection] == nil)
                let missing = try await gateway.send(.post, "/nowhere", body, type: "application/json")
                #expect(missing.problem == "no-such-path")
            }
            try await gateway.makeProduct("C1")
            #expect(try await gateway.send(.head, "/v1/products/1").status == .ok)
            let tag = try #require(try await gateway.send(.get, "/v1/products/1").headers[.eTag])
            let cached = try await gateway.send(.get, "/v1/products/1", headers: [.ifNoneMatch: tag])
            #expect(cached.status == .notModified)
            #expect(try await gateway.send(.delete, "/v1/products/1").status == .noContent)
            #expect(try await gateway.send(.get, "/v1/products/1").problem == "product-gone")
        }
    }

    @Test func `a body beyond the limit is refused at its head and ends the connection`() async throws {
        try await TestGateway.run(.live, configuration: .test { $0.bodyLimitBytes = 1_000 }) { gateway in
            let body = String(repeating: " ", count: 1_001)
            let reply = try await gateway.send(.post, "/v1/products", body, type: "application/json")
            #expect(reply.problem == "body-too-large")
            #expect(reply.headers[.connection] == "close")
        }
    }

    @Test(arguments: [
        "GARBAGE\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\r\nX-A: " + String(repeating: "a", count: 70_000) + "\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\r\n" + String(repeating: "X-A: a\r\n", count: 300) + "\r\n",
        "GET /" + String(repeating: "a", count: 200_000) + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET /v1/products/\u{ff} HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n",
        "POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    ])
    func `what cannot be read as a request gets a problem document and ends the connection`(_ bytes: String)
        async throws
    {
        try await TestGateway.run(.live) { gateway in
            let answer = try #require(try await gateway.raw(bytes).readToEnd())
            #expect(answer.hasPrefix("HTTP/1.1 400 Bad Request\r\n"), "\(answer.prefix(300))")
            #expect(answer.contains("Content-Type: application/problem+json\r\n"))
            let body = try #require(answer.components(separatedBy: "\r\n\r\n").last)
            let json = try JSONParser.parse(Array(body.utf8))
            #expect(json["code"]?.text == "malformed-request")
            #expect(json["status"]?.integer == 400)
            #expect(try await gateway.send(.get, "/livez").status == .ok)
        }
    }

    @Test func `a body that breaks its framing is a 400`() async throws {
        try await TestGateway.run(.live) { gateway in
            let head = "POST /v1/products HTTP/1.1\r\nHost: x\r\nx-api-key: \(gateway.keys[.ana] ?? "")\r\n"
            let rest = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n"
            let answer = try #require(try await gateway.raw(head + rest).readToEnd())
            #expect(answer.contains("\"code\":\"malformed-body\""), "\(answer)")
        }
    }

    @Test(arguments: [
        "GET /livez HTTP/1.1\r\nHost: x\r\n",
        "",
        "POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
        "POST /v1/products HTTP/1.1\r\nHost: x\r\nx-api-key: KEY\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
        "POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Length: 9000000\r\n\r\n{",
    ])
    func `a client that stops sending is cut off`(_ bytes: String) async throws {
        try await TestGateway.run(.live, configuration: .test { $0.requestTimeout = .milliseconds(500) }) { gateway in
            let sent = bytes.replacing("KEY", with: gateway.keys[.ana] ?? "")
            let ended = try await gateway.raw(sent).readToEnd()
            #expect(ended != nil)
        }
    }

    @Test func `a client that waits for 100 Continue is told to go on before its body is there`() async throws {
        try await TestGateway.run(.live) { gateway in
            let body = TestGateway.body("C1")
            let connection = try gateway.raw(
                "POST /v1/products HTTP/1.1\r\nHost: x\r\nx-api-key: \(gateway.keys[.ana] ?? "")\r\n"
                    + "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
                    + "Expect: 100-continue\r\nConnection: close\r\n\r\n"
            )
            let interim = "HTTP/1.1 100 Continue\r\n\r\n"
            #expect(await connection.read(interim.utf8.count) == interim)
            connection.send(body)
            let answer = await connection.readToEnd()
            #expect(answer?.hasPrefix("HTTP/1.1 201 Created\r\n") == true, "\(answer ?? "nothing")")
            connection.close()
        }
    }

    @Test func `a client that waits for 100 Continue is refused without it`() async throws {
        try await TestGateway.run(.live) { gateway in
            let connection = try gateway.raw(
                "POST /v1/products HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 5\r\n"
                    + "Expect: 100-continue\r\n\r\n"
            )
            let answer = await connection.readToEnd()
            #expect(answer?.hasPrefix("HTTP/1.1 401 Unauthorized\r\n") == true, "\(answer ?? "nothing")")
            connection.close()
        }
    }

    @Test func `a client that sends byte by byte is cut off all the same`() async throws {
        try await TestGateway.run(.live, configuration: .test { $0.requestTimeout = .milliseconds(500) }) { gateway in
            let head = "POST /v1/products HTTP/1.1\r\nHost: x\r\nx-api-key: \(gateway.keys[.ana] ?? "")\r\n"
            let connection = try gateway.raw(
                head + "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
            )
            let start = ContinuousClock.now
            let dripping = Task {
                while !Task.isCancelled, connection.send(" ") { try? await Task.sleep(for: .milliseconds(100)) }
            }
            let ended = await connection.readToEnd()
            dripping.cancel()
            #expect(ended != nil)
            #expect(ContinuousClock.now - start < .seconds(10))
        }
    }

    @Test func `a client that takes no answers is cut off`() async throws {
        try await TestGateway.run(.live, configuration: .test { $0.requestTimeout = .milliseconds(500) }) { gateway in
            let connection = try gateway.raw("")
            let start = ContinuousClock.now
            await connection.sendUntilRefused(
                String(repeating: "GET /docs/problems HTTP/1.1\r\nHost: x\r\n\r\n", count: 100)
            )
            #expect(ContinuousClock.now - start < .seconds(15))
            connection.close()
        }
    }
}
