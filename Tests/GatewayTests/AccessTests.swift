import Catalog
import EventLog
import HTTPTypes
import Testing

@testable import Gateway

struct AccessTests {
    private static let path = "/v1/products/1"

    @Test func `nobody known gets 401 with a challenge and leaves no event`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let key = try #require(gateway.keys[.ana])
            let wrong: [HTTPFields] = [
                [:], [.apiKey: ""], [.apiKey: "x"], [.apiKey: "rastro_abcdefgh_" + String(repeating: "a", count: 38)],
                [.apiKey: String(key.dropLast()) + "#"], [.authorization: "Bearer x"], [.authorization: "Bearer "],
                [.authorization: "Basic YTpi"], [.authorization: key],
                [.authorization: "Bearer eyJhbGciOiJub25lIn0.e30."],
            ]
            let events = try await gateway.recorded { () async throws -> Void in
                for headers in wrong {
                    let reply = try await gateway.send(.get, Self.path, as: nil, headers: headers)
                    #expect(reply.problem == "unauthenticated", "\(headers)")
                    #expect(reply.headers[.wwwAuthenticate]?.hasPrefix("Bearer") == true)
                    #expect(reply.headers[.vary] == "Authorization, x-api-key, x-user-id")
                    #expect(!reply.text.contains(key))
                }
            }
            #expect(events.isEmpty)
        }
    }

    @Test func `a key passes as x-api-key, as Bearer, and as both when they are the same`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let (ana, ben) = (try #require(gateway.keys[.ana]), try #require(gateway.keys[.ben]))
            let good: [HTTPFields] = [
                [.apiKey: ana], [.authorization: "Bearer \(ana)"], [.authorization: "bearer  \(ana)"],
                [.apiKey: ana, .authorization: "Bearer \(ana)"],
            ]
            for headers in good {
                #expect(try await gateway.send(.get, Self.path, as: nil, headers: headers).status == .ok, "\(headers)")
            }
            let both: HTTPFields = [.apiKey: ana, .authorization: "Bearer \(ben)"]
            #expect(try await gateway.send(.get, Self.path, as: nil, headers: both).problem == "invalid-header")
        }
    }

    @Test func `a missing scope is 403 and a DENIED event that names method, route, scope and product`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let start = try await gateway.end()
            let reply = try await gateway.send(.delete, Self.path, as: .reader)
            #expect(reply.problem == "missing-scope")
            #expect(reply.json["detail"]?.text?.contains("products:write") == true)
            #expect(reply.headers[.wwwAuthenticate]?.contains("insufficient_scope") == true)
            let event = try #require(try await gateway.events(after: start).last)
            #expect(reply.position == event.position)
            #expect(event.type == .denied)
            #expect(event.productID == 1)
            #expect(event.userID == "reader")
            #expect(event.via == .delete)
            let data = String(decoding: try #require(event.data), as: UTF8.self)
            #expect(data == #"{"method":"DELETE","route":"/v1/products/{id}","scope":"products:write"}"#)
            let list = try await gateway.send(.get, "/v1/products", as: .auditor)
            #expect(list.problem == "missing-scope")
            let second = try #require(try await gateway.events(after: event.position).last)
            #expect(second.productID == nil)
            #expect(second.via == .list)
        }
    }

    @Test func `admin may do all but act as another`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1", as: .admin)
            let events = try await gateway.recorded { () async throws -> Void in
                let reply = try await gateway.send(.get, Self.path, as: .admin, headers: [.userID: "zoe"])
                #expect(reply.problem == "missing-scope")
                #expect(reply.json["detail"]?.text?.contains("act-as") == true)
            }
            #expect(events == ["DENIED 1 admin get"])
        }
    }

    @Test func `act-as records the end user, and the key as client`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let start = try await gateway.end()
            for user in ["zoe", "Zoë Müller", String(repeating: "u", count: 128)] {
                let reply = try await gateway.send(.get, Self.path, as: .proxy, headers: [.userID: user])
                #expect(reply.status == .ok)
            }
            #expect(try await gateway.send(.get, Self.path, as: .proxy).status == .ok)
            let events = try await gateway.events(after: start).filter { $0.type == .fetched }
            #expect(events.map(\.userID) == ["zoe", "Zoë Müller", String(repeating: "u", count: 128), "proxy"])
            #expect(events.map(\.auth) == [.actAs, .actAs, .actAs, .key])
            #expect(Set(events.map(\.clientID)).count == 1)
        }
    }

    @Test func `an unreadable end user is 400`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let wrong = ["", "system:ttl", "role:x", String(repeating: "u", count: 129), "a\u{200b}b", "a\u{fffd}"]
            let events = try await gateway.recorded { () async throws -> Void in
                for user in wrong {
                    let reply = try await gateway.send(.get, Self.path, as: .proxy, headers: [.userID: user])
                    #expect(reply.problem == "invalid-header", "\(user.debugDescription)")
                }
            }
            #expect(events.isEmpty)
        }
    }

    @Test func `more refusals than the limit are 429, and one THROTTLED event tells how many`() async throws {
        try await TestGateway.run(limiter: RefusalLimiter(limit: 3)) { gateway in
            let events = try await gateway.recorded { () async throws -> Void in
                #expect(try await gateway.send(.delete, Self.path, as: .reader).problem == "missing-scope")
                #expect(try await gateway.send(.get, Self.path, as: .reader).problem == "product-not-found")
                #expect(try await gateway.send(.get, Self.path, as: .reader).problem == "product-not-found")
                for _ in 0..<4 {
                    let reply = try await gateway.send(.get, Self.path, as: .reader)
                    #expect(reply.problem == "too-many-refusals")
                    let wait = try #require(reply.headers[.retryAfter].flatMap { Int($0) })
                    #expect((1...60).contains(wait))
                }
                #expect(try await gateway.send(.get, Self.path, as: .ben).problem == "product-not-found")
                await gateway.services.refusals.report(at: .now + .seconds(61))
            }
            #expect(
                events == [
                    "DENIED 1 reader delete", "NOT_FOUND 1 reader get", "NOT_FOUND 1 reader get", "NOT_FOUND 1 ben get",
                    "THROTTLED reader system",
                ]
            )
            let last = try #require(try await gateway.events().last)
            #expect(String(decoding: try #require(last.data), as: UTF8.self) == #"{"count":4}"#)
        }
    }

    @Test func `an id beyond every product counts as a refusal, and a DENIED event names it`() async throws {
        try await TestGateway.run(limiter: RefusalLimiter(limit: 2)) { gateway in
            let path = "/v1/products/9007199254740992"
            let events = try await gateway.recorded { () async throws -> Void in
                #expect(try await gateway.send(.get, path, as: .reader).problem == "product-not-found")
                #expect(try await gateway.send(.delete, path, as: .reader).problem == "missing-scope")
                #expect(try await gateway.send(.get, path, as: .reader).problem == "too-many-refusals")
            }
            #expect(
                events == ["NOT_FOUND 9007199254740992 reader get", "DENIED 9007199254740992 reader delete"]
            )
        }
    }

    @Test func `a revoked key makes no further event`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let administration = KeyAdministration(log: gateway.log, context: .system(.server))
            let keyID = try #require(gateway.keys[.ben]?.split(separator: "_")[1])
            #expect(try await gateway.send(.get, Self.path, as: .ben).status == .ok)
            let position = try #require(try await administration.revoke(String(keyID)))
            #expect(try await gateway.send(.get, Self.path, as: .ben).problem == "unauthenticated")
            let after = try await gateway.events(after: position)
            #expect(after.isEmpty)
        }
    }
}
