import Catalog
import EventLog
import Gateway
import HTTPTypes
import Testing

@Suite struct AuditRoutesTests {
    @Test func anAuditorSeesWhatHappenedToAProduct() async throws {
        try await TestGateway.run { gateway in
            let id = try await gateway.makeProduct("COD5")
            _ = try await gateway.send(.get, "/v1/products/\(id)", as: .ben)
            _ = try await gateway.send(.patch, "/v1/products/\(id)", #"{"price": 17.9}"#)
            _ = try await gateway.send(.delete, "/v1/products/\(id)")
            let reply = try await gateway.send(.get, "/v1/audit/products/\(id)/events", as: .auditor)
            #expect(reply.status == .ok && reply.headers[.cacheControl] == "no-store")
            #expect(
                reply.json["items"]?.items.compactMap { $0["type"]?.text } == [
                    "CREATED", "FETCHED", "UPDATED", "DELETED",
                ]
            )
            #expect(reply.json["items"]?.items.compactMap { $0["userId"]?.text } == ["ana", "ben", "ana", "ana"])
            #expect(reply.json["next"] == .null)
            let query = try #require(try await gateway.events().last)
            #expect(query.type == .auditQueried && query.position == reply.position && query.via == .audit)
            #expect(query.productID == id && query.userID == "auditor")
        }
    }

    @Test func aWalkFollowsItsLinksToTheEnd() async throws {
        try await TestGateway.run { gateway in
            for number in 0..<7 { try await gateway.makeProduct("C\(number)") }
            var uri: String? = "/v1/audit/events?type=CREATED&type=DELETED&user=ana&order=desc&limit=3"
            var codes: [String] = []
            var pages = 0
            while let now = uri, pages < 9 {
                let reply = try await gateway.send(.get, now, as: .auditor)
                try #require(reply.status == .ok, "\(reply.text)")
                codes += reply.json["items"]?.items.compactMap { $0["code"]?.text } ?? []
                let link = reply.headers[.link]
                #expect((link == nil) == (reply.json["next"] == .null))
                uri = link.map { String($0.dropFirst().prefix { $0 != ">" }) }
                pages += 1
            }
            #expect(codes == (0..<7).reversed().map { "C\($0)" })
        }
    }

    @Test func aCursorOfAnotherFilterIsRefused() async throws {
        try await TestGateway.run { gateway in
            for number in 0..<3 { try await gateway.makeProduct("C\(number)") }
            let page = try await gateway.send(.get, "/v1/audit/events?limit=1", as: .auditor)
            let cursor = try #require(page.json["next"]?.text)
            let good = try await gateway.send(.get, "/v1/audit/events?limit=2&cursor=\(cursor)", as: .auditor)
            #expect(good.status == .ok)
            for uri in [
                "/v1/audit/events?type=CREATED&", "/v1/audit/users/ana/events?", "/v1/audit/events?order=desc&",
            ] {
                let end = try await gateway.end()
                let bad = try await gateway.send(.get, "\(uri)cursor=\(cursor)", as: .auditor)
                #expect(bad.status == .badRequest && bad.problem == "invalid-cursor")
                #expect(try await gateway.end() == end)
            }
        }
    }

    @Test func aProductOfThePastIsShown() async throws {
        try await TestGateway.run { gateway in
            let id = try await gateway.makeProduct("COD5")
            let made = try await gateway.end()
            _ = try await gateway.send(.patch, "/v1/products/\(id)", #"{"price": 17.9}"#)
            let path = "/v1/audit/products/\(id)"
            let then = try await gateway.send(.get, "\(path)?version=1", as: .auditor)
            #expect(then.json["product"]?["price"]?.number == "19.9" && then.json["deleted"] == .bool(false))
            #expect(then.json["position"]?.integer == made)
            let event = try await gateway.send(.get, "/v1/audit/events/\(made)", as: .auditor)
            let time = try #require(event.json["recordedAt"]?.text)
            #expect(event.json["leaf"]?.text?.contains("\"subject\":\"product/\(id)\"") == true)
            #expect(event.json["userKey"]?.text?.utf8.count == 43)
            #expect(try await gateway.send(.get, "\(path)?at=\(time)", as: .auditor).text == then.text)
            #expect(try await gateway.send(.get, "\(path)?position=\(made)", as: .auditor).text == then.text)
            let diff = try await gateway.send(.get, "\(path)/diff?from=1&to=2", as: .auditor)
            #expect(diff.json["changes"]?["price"]?["to"]?.number == "17.9")
            let viewers = try await gateway.send(.get, "\(path)/viewers", as: .auditor)
            #expect(viewers.status == .ok && viewers.json["items"]?.items.isEmpty == true)

            let early = try await gateway.send(.get, "\(path)?position=1", as: .auditor)
            #expect(early.status == .notFound && early.problem == "not-found-then" && early.position != nil)
            let absent = try await gateway.send(.get, "/v1/audit/events/9999", as: .auditor)
            #expect(absent.status == .notFound && absent.problem == "event-not-found")
        }
    }

    @Test func anIdThatNoProductCanHaveIsAskedForLikeAnyOther() async throws {
        try await TestGateway.run { gateway in
            let id: Int64 = 9_007_199_254_740_992
            let missed = try #require(try await gateway.send(.get, "/v1/products/\(id)").position)
            let path = "/v1/audit/products/\(id)"
            for uri in ["\(path)/events", "/v1/audit/events?product=\(id)&limit=5"] {
                let reply = try await gateway.send(.get, uri, as: .auditor)
                #expect(reply.json["items"]?.items.map { $0["position"]?.integer } == [missed], "\(reply.text)")
                #expect(reply.json["items"]?.items.map { $0["productId"]?.integer } == [id])
                let query = try #require(try await gateway.events().last)
                #expect(query.type == .auditQueried && query.productID == id && query.position == reply.position)
                #expect(query.data.map { String(decoding: $0, as: UTF8.self) }?.contains("\"product\":\(id),") == true)
            }
            let viewers = try await gateway.send(.get, "\(path)/viewers", as: .auditor)
            #expect(viewers.status == .ok && viewers.json["items"]?.items.isEmpty == true && viewers.position != nil)
            for uri in ["\(path)?version=1", "\(path)/diff?from=1&to=1"] {
                let reply = try await gateway.send(.get, uri, as: .auditor)
                let end = try await gateway.end()
                #expect(reply.problem == "not-found-then" && reply.position == end)
            }
            let event = try await gateway.send(.get, "/v1/audit/events/\(missed)", as: .auditor)
            #expect(event.json["leaf"]?.text?.contains("\"subject\":\"product/\(id)\"") == true)
        }
    }

    @Test func accessNamesTheKeysOfAMoment() async throws {
        try await TestGateway.run { gateway in
            let reply = try await gateway.send(.get, "/v1/audit/access", as: .auditor)
            #expect(
                reply.json["items"]?.items.compactMap { $0["userId"]?.text } == TestGateway.Who.allCases.map(\.rawValue)
            )
            let long = try await gateway.send(.get, "/v1/audit/access?at=2020-01-01T00:00:00%2B01:00", as: .auditor)
            #expect(long.json["items"]?.items.isEmpty == true)
        }
    }

    @Test func usersAreNamedInPathsWithPercentSigns() async throws {
        try await TestGateway.run { gateway in
            let headers: HTTPFields = [.userID: "zoë/1 2"]
            _ = try await gateway.send(.get, "/v1/products?limit=1", as: .proxy, headers: headers)
            let id = try await gateway.makeProduct("COD5")
            let reply = try await gateway.send(.get, "/v1/products/\(id)", as: .proxy, headers: headers)
            #expect(reply.status == .ok)
            let trail = try await gateway.send(.get, "/v1/audit/users/zo%C3%AB%2F1%202/events", as: .auditor)
            #expect(trail.json["items"]?.items.last?["type"]?.text == "FETCHED")
        }
    }

    @Test(
        arguments: [
            "/v1/audit/products/abc/events", "/v1/audit/products/0?version=1", "/v1/audit/products/1",
            "/v1/audit/products/1?at=yesterday", "/v1/audit/products/1?at=2999-01-01T00:00:00Z",
            "/v1/audit/products/1?version=1&position=2", "/v1/audit/products/1?position=999999",
            "/v1/audit/products/1/diff?from=2", "/v1/audit/products/1/diff?from=2&to=1",
            "/v1/audit/events?type=created", "/v1/audit/events?limit=0", "/v1/audit/events?limit=1001",
            "/v1/audit/events?from=position:-1", "/v1/audit/events?from=position:+1", "/v1/audit/events?order=up",
            "/v1/audit/events?via=fax", "/v1/audit/events?include=all", "/v1/audit/events?user=",
            "/v1/audit/events?x=1", "/v1/audit/events?product=0", "/v1/audit/events?product=9223372036854775808",
            "/v1/audit/events?from=now&from=now", "/v1/audit/events?cursor=abc", "/v1/audit/events/0",
            "/v1/audit/events/one", "/v1/audit/users/%ff/events", "/v1/audit/users/%zz/events",
            "/v1/audit/users/ana/events?user=ben", "/v1/audit/access?at=2999-01-01T00:00:00Z",
            "/v1/audit/events?type=%ff", "/v1/audit/products/1/viewers?type=FETCHED",
        ]
    )
    func aQuestionThatCannotBeReadIsRefusedAndNotRecorded(uri: String) async throws {
        try await TestGateway.run { gateway in
            try await gateway.makeProduct("COD5")
            let end = try await gateway.end()
            let reply = try await gateway.send(.get, uri, as: .auditor)
            #expect(reply.status == .badRequest && reply.problem != nil, "\(reply.status) \(reply.text)")
            #expect(try await gateway.end() == end)
        }
    }

    @Test func withoutTheScopeNobodyLooks() async throws {
        try await TestGateway.run { gateway in
            let id = try await gateway.makeProduct("COD5")
            let reply = try await gateway.send(.get, "/v1/audit/products/\(id)/events", as: .ana)
            #expect(reply.status == .forbidden && reply.headers[.cacheControl] == "no-store")
            #expect(try await gateway.events().last?.type == .denied)
        }
    }
}
