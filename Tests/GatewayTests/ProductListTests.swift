import Catalog
import EventLog
import HTTPTypes
import Testing

@testable import Gateway

struct ProductListTests {
    @Test func `pages follow each other by id, each product recorded as FETCHED`() async throws {
        try await TestGateway.run { gateway in
            for number in 1...5 { try await gateway.makeProduct("C\(number)") }
            var uri: String? = "/v1/products?limit=2"
            var codes: [String?] = []
            let events = try await gateway.recorded { () async throws -> Void in
                while let next = uri {
                    let reply = try await gateway.send(.get, next, as: .reader)
                    #expect(reply.status == .ok)
                    #expect(reply.headers[.cacheControl] == "private, no-cache")
                    let items = try #require(reply.json["items"]).items
                    codes += items.map { $0["code"]?.text }
                    let cursor = reply.json["next"]?.text
                    uri = cursor.map { "/v1/products?limit=2&cursor=\($0)" }
                    #expect(reply.headers[.link] == uri.map { "<\($0)>; rel=\"next\"" })
                    let end = try await gateway.end()
                    #expect(items.isEmpty || reply.position == end)
                }
            }
            #expect(codes == ["C1", "C2", "C3", "C4", "C5"])
            #expect(events == (1...5).map { "FETCHED \($0) v1 reader list" })
        }
    }

    @Test func `a code finds its live product only`() async throws {
        try await TestGateway.run { gateway in
            let id = try await gateway.makeProduct("a+b é")
            let found = try await gateway.send(.get, "/v1/products?code=a%2Bb+%C3%A9")
            #expect(found.json["items"]?.items.compactMap { $0["id"]?.integer } == [id])
            #expect(found.json["next"] == .null)
            #expect(found.headers[.link] == nil)
            #expect(try await gateway.send(.delete, "/v1/products/\(id)").status == .noContent)
            let events = try await gateway.recorded { () async throws -> Void in
                let none = try await gateway.send(.get, "/v1/products?code=a%2Bb+%C3%A9")
                #expect(none.status == .ok)
                #expect(none.json["items"] == .array([]))
                #expect(none.position == nil)
            }
            #expect(events.isEmpty)
        }
    }

    @Test func `HEAD of the list has its headers and records the same`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let events = try await gateway.recorded { () async throws -> Void in
                let reply = try await gateway.send(.head, "/v1/products")
                #expect(reply.status == .ok)
                #expect(reply.text.isEmpty)
                #expect(reply.position != nil)
            }
            #expect(events == ["FETCHED 1 v1 ana list"])
        }
    }

    @Test func `a cursor of another filter or log is refused`() async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("C1")
            let page = try await gateway.send(.get, "/v1/products?limit=1")
            let cursor = try #require(page.json["next"]?.text)
            let foreign = PageCursor([1]).encode(filter: "products code=", incarnation: "ffffffff")
            for query in ["code=C1&cursor=\(cursor)", "cursor=\(foreign)", "cursor=\(cursor)x", "cursor="] {
                #expect(try await gateway.send(.get, "/v1/products?\(query)").problem == "invalid-cursor", "\(query)")
            }
        }
    }
}
