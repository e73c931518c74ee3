import Catalog
import EventLog
import HTTPTypes
import Hummingbird
import Testing

@testable import Gateway

struct BadRequestTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let method: HTTPRequest.Method
        let uri: String
        var body: String?
        var type: String?
        var headers: HTTPFields = [:]
        let status: Int
        let code: String

        var testDescription: String { "\(method) \(uri) \(body?.prefix(40) ?? "") \(headers) → \(code)" }

        static func of(
            _ method: HTTPRequest.Method,
            _ uri: String,
            _ body: String? = nil,
            type: String? = nil,
            headers: HTTPFields = [:],
            gives answer: String
        ) -> Case {
            Case(
                method: method,
                uri: uri,
                body: body,
                type: type,
                headers: headers,
                status: Int(answer.prefix(3)) ?? 0,
                code: String(answer.dropFirst(4))
            )
        }
    }

    private static let good = TestGateway.body("NEW")
    private static let products = "/v1/products"
    private static let first = "/v1/products/1"

    private static let paths: [Case] =
        ["abc", "0", "-1", "+1", "01", "1.5", "9223372036854775808", "1%20", "%ff"].flatMap { id in
            [
                Case.of(.get, "/v1/products/\(id)", gives: "400 invalid-path"),
                Case.of(.put, "/v1/products/\(id)", good, gives: "400 invalid-path"),
                Case.of(.delete, "/v1/products/\(id)", gives: "400 invalid-path"),
            ]
        }

    private static let queries: [Case] = [
        Case.of(.get, products + "?limit=0", gives: "400 invalid-query"),
        .of(.get, products + "?limit=201", gives: "400 invalid-query"),
        .of(.get, products + "?limit=x", gives: "400 invalid-query"),
        .of(.get, products + "?limit=1&limit=2", gives: "400 invalid-query"),
        .of(.get, products + "?page=1", gives: "400 invalid-query"),
        .of(.get, products + "?code=", gives: "400 invalid-query"),
        .of(.get, products + "?code=%00", gives: "400 invalid-query"),
        .of(.get, products + "?code=%FF", gives: "400 invalid-query"),
        .of(.get, products + "?cursor=abc", gives: "400 invalid-cursor"),
        .of(.get, first + "?x=1", gives: "400 invalid-query"),
        .of(.post, products + "?x=1", good, gives: "400 invalid-query"),
        .of(.delete, first + "?x=1", gives: "400 invalid-query"),
    ]

    private static let headers: [Case] = [
        Case.of(.get, first, headers: [.ifNoneMatch: "abc"], gives: "400 invalid-header"),
        .of(.get, first, headers: [.ifMatch: "\"x\""], gives: "400 invalid-header"),
        .of(.put, first, good, headers: [.ifMatch: "x"], gives: "400 invalid-header"),
        .of(.patch, first, "{}", headers: [.ifMatch: ""], gives: "400 invalid-header"),
        .of(.delete, first, headers: [.ifMatch: "\"a\" \"b\""], gives: "400 invalid-header"),
        .of(.put, first, good, headers: [.ifNoneMatch: "*"], gives: "400 invalid-header"),
        .of(.post, products, good, headers: [.ifMatch: "*"], gives: "400 invalid-header"),
    ]

    private static let types: [Case] = [
        Case.of(.post, products, good, type: "text/plain", gives: "415 unsupported-media-type"),
        .of(.post, products, good, type: "", gives: "415 unsupported-media-type"),
        .of(.post, products, good, type: "application/json; charset=latin1", gives: "415 unsupported-media-type"),
        .of(.post, products, good, headers: [.contentEncoding: "gzip"], gives: "415 unsupported-media-type"),
        .of(.put, first, good, type: "application/merge-patch+json", gives: "415 unsupported-media-type"),
        .of(.patch, first, "{}", type: "application/json", gives: "415 unsupported-media-type"),
        .of(.post, products, String(repeating: " ", count: 1 << 20) + "{}", gives: "413 body-too-large"),
        .of(.put, first, String(repeating: " ", count: 1 << 20) + "{}", gives: "413 body-too-large"),
    ]

    private static let bodies: [Case] = [
        Case.of(.post, products, nil, type: "application/json", gives: "400 malformed-json"),
        .of(.post, products, "", type: "application/json", gives: "400 malformed-json"),
        .of(.post, products, "{", gives: "400 malformed-json"),
        .of(.post, products, good + "x", gives: "400 malformed-json"),
        .of(.post, products, #"{"code": "A", "code": "B", "name": "n", "price": 1}"#, gives: "400 malformed-json"),
        .of(.post, products, #"{"code": "\ud800", "name": "n", "price": 1}"#, gives: "400 malformed-json"),
        .of(.post, products, String(repeating: "[", count: 100_000), gives: "400 malformed-json"),
        .of(.post, products, "[]", gives: "422 invalid-fields"),
        .of(.post, products, "null", gives: "422 invalid-fields"),
        .of(.post, products, "{}", gives: "422 invalid-fields"),
        .of(.post, products, #"{"code": "A\u0000", "name": "n", "price": 1}"#, gives: "422 invalid-fields"),
        .of(.post, products, #"{"code": "A", "name": "n", "price": -1}"#, gives: "422 invalid-fields"),
        .of(.post, products, #"{"code": "A", "name": "n", "price": "1"}"#, gives: "422 invalid-fields"),
        .of(.post, products, #"{"code": "A", "name": "n", "price": 100000000000}"#, gives: "422 invalid-fields"),
        .of(.post, products, #"{"code": "A", "name": "n", "price": 1.00001}"#, gives: "422 invalid-fields"),
        .of(.post, products, #"{"code": "A", "name": "n", "price": 1, "version": 1}"#, gives: "422 invalid-fields"),
        .of(
            .post,
            products,
            #"{"id": 9007199254740992, "code": "A", "name": "n", "price": 1}"#,
            gives: "422 invalid-fields"
        ),
        .of(.put, first, "{}", gives: "422 invalid-fields"),
        .of(.put, first, #"{"id": 2, "code": "A", "name": "n", "model": "", "price": 1}"#, gives: "422 invalid-fields"),
        .of(.patch, first, #"{"code": null}"#, gives: "422 invalid-fields"),
        .of(.patch, first, #"{"colour": "red"}"#, gives: "422 invalid-fields"),
        .of(.patch, first, "{", gives: "400 malformed-json"),
    ]

    private static let places: [Case] = [
        Case.of(.get, "/", gives: "404 no-such-path"),
        .of(.get, "/v1/product", gives: "404 no-such-path"),
        .of(.get, "/v1/products/", gives: "404 no-such-path"),
        .of(.get, "/v1//products", gives: "404 no-such-path"),
        .of(.get, "/V1/products", gives: "404 no-such-path"),
        .of(.get, "/v1/products/1/x", gives: "404 no-such-path"),
        .of(.get, "/docs/problems/none", gives: "404 no-such-path"),
        .of(.delete, products, gives: "405 method-not-allowed"),
        .of(.post, first, good, gives: "405 method-not-allowed"),
        .of(.options, products, gives: "405 method-not-allowed"),
        .of(.trace, first, gives: "405 method-not-allowed"),
        .of(.post, "/livez", "x", type: "text/plain", gives: "405 method-not-allowed"),
    ]

    @Test func `every malformed request gets its problem document and changes nothing`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let start = try await gateway.end()
            let cases = [Self.paths, Self.queries, Self.headers, Self.types, Self.bodies, Self.places].flatMap(\.self)
            for item in cases {
                let reply = try await gateway.send(
                    item.method,
                    item.uri,
                    item.body,
                    type: item.type,
                    headers: item.headers
                )
                let name = item.testDescription
                #expect(reply.problem == item.code, "\(name): \(reply.text)")
                #expect(reply.status.code == item.status, "\(name)")
                #expect(reply.json["status"]?.integer == Int64(item.status), "\(name)")
                #expect(reply.json["type"]?.text == "/docs/problems/\(item.code)", "\(name)")
                #expect(reply.json["title"]?.text?.isEmpty == false, "\(name)")
                #expect(reply.json["detail"]?.text?.isEmpty == false, "\(name)")
                #expect(reply.json["instance"]?.text != nil, "\(name)")
                #expect(reply.json["requestId"]?.text == reply.headers[.requestID], "\(name)")
                #expect((reply.json["errors"] != nil) == (item.status == 422), "\(name)")
                #expect(reply.position == nil, "\(name)")
                #expect(reply.headers[.xContentTypeOptions] == "nosniff", "\(name)")
            }
            let events = try await gateway.events(after: start)
            #expect(events.isEmpty, "\(events.map(\.type))")
        }
    }

    @Test func `405 names the methods that there are and 415 the types`() async throws {
        try await TestGateway.run { gateway in
            #expect(try await gateway.send(.delete, Self.products).headers[.allow] == "POST, GET, HEAD")
            let allowed = try await gateway.send(.post, Self.first).headers[.allow]
            #expect(allowed == "GET, HEAD, PUT, PATCH, DELETE")
            #expect(try await gateway.send(.post, "/livez", as: nil).headers[.allow] == "GET, HEAD")
            let post = try await gateway.send(.post, Self.products, "x", type: "text/plain")
            #expect(post.headers[.acceptPost] == "application/json")
            let patch = try await gateway.send(.patch, Self.first, "x", type: "text/plain")
            #expect(patch.headers[.acceptPatch] == "application/merge-patch+json")
        }
    }

    @Test func `all faults of a body are told at once, each with its pointer`() async throws {
        try await TestGateway.run { gateway in
            let body = #"{"code": "", "price": "x", "url": 5, "a/b": 1}"#
            let reply = try await gateway.send(.post, Self.products, body)
            let pointers = try #require(reply.json["errors"]).items.compactMap { $0["pointer"]?.text }
            #expect(Set(pointers) == ["/code", "/name", "/price", "/url", "/a~1b"])
            #expect(
                reply.json["errors"]?.items.allSatisfy { $0["code"]?.text != nil && $0["detail"]?.text != nil } == true
            )
        }
    }

    @Test func `a configured server wants If-Match, after the body and before the product`() async throws {
        try await TestGateway.run(configuration: .test { $0.requireIfMatch = true }) { gateway in
            let path = "/v1/products/\(try await gateway.makeProduct("C1"))"
            #expect(try await gateway.send(.put, path, TestGateway.body("C1")).problem == "precondition-required")
            #expect(try await gateway.send(.patch, path, "{}").problem == "precondition-required")
            #expect(try await gateway.send(.delete, path).problem == "precondition-required")
            #expect(try await gateway.send(.delete, "/v1/products/99").problem == "precondition-required")
            #expect(try await gateway.send(.put, path, "{}").problem == "invalid-fields")
            #expect(try await gateway.send(.patch, path, "{}", headers: [.ifMatch: "*"]).status == .ok)
        }
    }
}
