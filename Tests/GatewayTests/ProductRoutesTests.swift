import Catalog
import EventLog
import HTTPTypes
import Testing

@testable import Gateway

struct ProductRoutesTests {
    @Test func `POST makes a product and records CREATED`() async throws {
        try await TestGateway.run { gateway in
            let events = try await gateway.recorded { () async throws -> Void in
                let reply = try await gateway.send(.post, "/v1/products", TestGateway.body("C1", price: "19.90"))
                #expect(reply.status == .created)
                let id = try #require(reply.json["id"]?.integer)
                #expect(reply.headers[.location] == "/v1/products/\(id)")
                #expect(reply.headers[.contentType] == "application/json")
                #expect(reply.headers[.eTag] == "\"\(gateway.log.identity.incarnation)-1\"")
                #expect(reply.json["price"]?.number == "19.9")
                #expect(reply.json["url"] == .null)
                #expect(reply.json["expiresAt"] == .null)
                #expect(reply.json["version"]?.integer == 1)
                #expect(reply.json["createdAt"] == reply.json["updatedAt"])
                let end = try await gateway.end()
                #expect(reply.position == end)
            }
            #expect(events == ["CREATED 1 v1 ana post"])
        }
    }

    @Test func `a client may name the id, once`() async throws {
        try await TestGateway.run { gateway in
            let body = #"{"id": 9007199254740991, "code": "BIG", "name": "n", "price": 0}"#
            let first = try await gateway.send(.post, "/v1/products", body)
            #expect(first.status == .created)
            let again = body.replacing("BIG", with: "OTHER")
            #expect(try await gateway.send(.post, "/v1/products", again).problem == "id-taken")
            let path = "/v1/products/9007199254740991"
            #expect(try await gateway.send(.delete, path).status == .noContent)
            #expect(try await gateway.send(.post, "/v1/products", again).problem == "id-used")
        }
    }

    @Test func `GET and HEAD show the product and record FETCHED, 304 included`() async throws {
        try await TestGateway.run { gateway in
            let id = try await gateway.makeProduct("C1")
            let path = "/v1/products/\(id)"
            let events = try await gateway.recorded { () async throws -> Void in
                let get = try await gateway.send(.get, path, as: .reader)
                #expect(get.status == .ok)
                #expect(get.json["code"]?.text == "C1")
                #expect(get.headers[.cacheControl] == "private, no-cache")
                #expect(get.headers[.vary] == "Authorization, x-api-key, x-user-id")
                let head = try await gateway.send(.head, path, as: .ben)
                #expect(head.status == .ok)
                #expect(head.text.isEmpty)
                #expect(head.headers[.eTag] == get.headers[.eTag])
                #expect(head.headers[.contentLength] == get.headers[.contentLength])
                let tag = try #require(get.headers[.eTag])
                for known in [tag, "W/\(tag)", "\"x\", \(tag)", "*"] {
                    let cached = try await gateway.send(.get, path, headers: [.ifNoneMatch: known])
                    #expect(cached.status == .notModified)
                    #expect(cached.text.isEmpty)
                    #expect(cached.headers[.eTag] == tag)
                    #expect(cached.headers[.cacheControl] == "private, no-cache")
                    #expect(cached.position != nil)
                }
                #expect(try await gateway.send(.get, path, headers: [.ifNoneMatch: "\"x\""]).status == .ok)
            }
            let mine = [String](repeating: "FETCHED 1 v1 ana get", count: 5)
            #expect(events == ["FETCHED 1 v1 reader get", "FETCHED 1 v1 ben head"] + mine)
        }
    }

    @Test func `PUT and PATCH change a product; without a change they record FETCHED`() async throws {
        try await TestGateway.run { gateway in
            let path = "/v1/products/\(try await gateway.makeProduct("C1"))"
            let events = try await gateway.recorded { () async throws -> Void in
                let put = try await gateway.send(.put, path, TestGateway.body("C2", price: "20"))
                #expect(put.status == .ok)
                #expect(put.json["version"]?.integer == 2)
                let same = try await gateway.send(.put, path, put.text)
                #expect(same.status == .ok)
                #expect(same.json["version"]?.integer == 2)
                #expect(same.headers[.eTag] == put.headers[.eTag])
                let patch = try await gateway.send(.patch, path, #"{"url": "https://example.org/d"}"#)
                #expect(patch.json["url"]?.text == "https://example.org/d")
                #expect(patch.json["code"]?.text == "C2")
                #expect(patch.position != nil)
                let none = try await gateway.send(.patch, path, "{}")
                #expect(none.json["version"]?.integer == 3)
                let cleared = try await gateway.send(.patch, path, #"{"url": null}"#)
                #expect(cleared.json["url"] == .null)
            }
            #expect(
                events == [
                    "UPDATED 1 v2 ana put", "FETCHED 1 v2 ana put", "UPDATED 1 v3 ana patch", "FETCHED 1 v3 ana patch",
                    "UPDATED 1 v4 ana patch",
                ]
            )
        }
    }

    @Test func `DELETE ends a product; then it is gone to every method`() async throws {
        try await TestGateway.run { gateway in
            let path = "/v1/products/\(try await gateway.makeProduct("C1"))"
            let events = try await gateway.recorded { () async throws -> Void in
                let reply = try await gateway.send(.delete, path)
                #expect(reply.status == .noContent)
                #expect(reply.text.isEmpty)
                #expect(reply.headers[.contentLength] == nil)
                #expect(reply.position != nil)
                #expect(try await gateway.send(.get, path).problem == "product-gone")
                #expect(try await gateway.send(.head, path).status == .gone)
                #expect(try await gateway.send(.put, path, TestGateway.body("C1")).problem == "product-gone")
                #expect(try await gateway.send(.patch, path, "{}").problem == "product-gone")
                let again = try await gateway.send(.delete, path)
                #expect(again.problem == "product-gone")
                let end = try await gateway.end()
                #expect(again.position == end)
            }
            #expect(
                events == [
                    "DELETED 1 v2 ana delete", "NOT_FOUND 1 ana get", "NOT_FOUND 1 ana head", "NOT_FOUND 1 ana put",
                    "NOT_FOUND 1 ana patch", "NOT_FOUND 1 ana delete",
                ]
            )
        }
    }

    @Test func `what never was is 404 and recorded, whatever the method`() async throws {
        try await TestGateway.run { gateway in
            let path = "/v1/products/77"
            let events = try await gateway.recorded { () async throws -> Void in
                for method in [HTTPRequest.Method.get, .delete] {
                    let reply = try await gateway.send(method, path)
                    #expect(reply.problem == "product-not-found")
                    #expect(reply.position != nil)
                    #expect(reply.headers[.cacheControl] == "private, no-cache")
                }
                #expect(try await gateway.send(.head, path).status == .notFound)
                #expect(try await gateway.send(.put, path, TestGateway.body("C1")).problem == "product-not-found")
                #expect(try await gateway.send(.patch, path, "{}").problem == "product-not-found")
            }
            let vias = ["get", "delete", "head", "put", "patch"]
            #expect(events == vias.map { "NOT_FOUND 77 ana \($0)" })
        }
    }

    @Test(arguments: ["9007199254740992", "9223372036854775807"])
    func `an id beyond every product is 404 and recorded, whatever the method`(_ id: String) async throws {
        try await TestGateway.run { gateway in
            let path = "/v1/products/\(id)"
            let events = try await gateway.recorded { () async throws -> Void in
                #expect(try await gateway.send(.put, path, "{}").problem == "invalid-fields")
                let answers = [
                    try await gateway.send(.get, path), try await gateway.send(.delete, path),
                    try await gateway.send(.put, path, TestGateway.body("C1")),
                    try await gateway.send(.patch, path, "{}"),
                ]
                #expect(answers.allSatisfy { $0.problem == "product-not-found" })
                #expect(try await gateway.send(.head, path).status == .notFound)
                let end = try await gateway.end()
                #expect(answers.map(\.position) == [end - 4, end - 3, end - 2, end - 1])
            }
            #expect(events == ["get", "delete", "put", "patch", "head"].map { "NOT_FOUND \(id) ana \($0)" })
        }
    }

    @Test func `a PUT without a model clears it`() async throws {
        try await TestGateway.run { gateway in
            let path = "/v1/products/\(try await gateway.makeProduct("C1"))"
            let reply = try await gateway.send(.put, path, #"{"code": "C1", "name": "Desk", "price": 19.9}"#)
            #expect(reply.status == .ok)
            #expect(reply.json["model"]?.text == "")
            #expect(reply.json["version"]?.integer == 2)
        }
    }

    @Test func `a stale If-Match is 412 and a current one passes`() async throws {
        try await TestGateway.run { gateway in
            let path = "/v1/products/\(try await gateway.makeProduct("C1"))"
            let first = try #require(try await gateway.send(.get, path).headers[.eTag])
            let patched = try await gateway.send(.patch, path, #"{"price": 1}"#, headers: [.ifMatch: first])
            #expect(patched.status == .ok)
            let second = try #require(patched.headers[.eTag])
            let events = try await gateway.recorded { () async throws -> Void in
                for stale in [first, "W/\(second)", "\"ffffffff-2\"", "\"x\""] {
                    let headers: HTTPFields = [.ifMatch: stale]
                    #expect(
                        try await gateway.send(.patch, path, "{}", headers: headers).problem == "precondition-failed"
                    )
                    let body = TestGateway.body("C9")
                    #expect(try await gateway.send(.put, path, body, headers: headers).problem == "precondition-failed")
                    #expect(try await gateway.send(.delete, path, headers: headers).problem == "precondition-failed")
                }
            }
            #expect(events.isEmpty)
            #expect(
                try await gateway.send(.patch, path, "{}", headers: [.ifMatch: "\(first), \(second)"]).status == .ok
            )
            #expect(try await gateway.send(.delete, path, headers: [.ifMatch: "*"]).status == .noContent)
            #expect(try await gateway.send(.delete, path, headers: [.ifMatch: "*"]).problem == "product-gone")
        }
    }

    @Test func `a code belongs to one live product`() async throws {
        try await TestGateway.run { gateway in
            let first = try await gateway.makeProduct("C1")
            let path = "/v1/products/\(try await gateway.makeProduct("C2"))"
            let events = try await gateway.recorded { () async throws -> Void in
                #expect(try await gateway.send(.post, "/v1/products", TestGateway.body("C1")).problem == "code-taken")
                #expect(try await gateway.send(.put, path, TestGateway.body("C1")).problem == "code-taken")
                #expect(try await gateway.send(.patch, path, #"{"code": "C1"}"#).problem == "code-taken")
            }
            #expect(events.isEmpty)
            #expect(try await gateway.send(.delete, "/v1/products/\(first)").status == .noContent)
            #expect(try await gateway.send(.patch, path, #"{"code": "C1"}"#).status == .ok)
        }
    }
}
