import Catalog
import Testing

@Suite struct EventNamesTests {
    @Test("stored numbers of event types never change")
    func types() {
        let names = [
            "CREATED", "UPDATED", "DELETED", "EXPIRED", "FETCHED", "NOT_FOUND", "DENIED", "USER_REGISTERED",
            "USER_ERASED", "AUDIT_QUERIED", "OPERATED", "THROTTLED", "LOG_PRUNED", "LOG_FORKED",
        ]
        #expect(EventType.allCases.map(\.name) == names)
        #expect(EventType.allCases.map(\.rawValue) == Array(1...14))
        for type in EventType.allCases { #expect(EventType(name: type.name) == type) }
        for name in ["created", "", "CREATED ", "Created"] { #expect(EventType(name: name) == nil) }
        #expect(EventType.allCases.filter(\.isChange) == [.created, .updated, .deleted, .expired])
    }

    @Test("CloudEvents types are distinct and belong to the product or the log")
    func cloudEvents() {
        #expect(EventType.created.cloudEventsType == "rastro.product.created")
        #expect(EventType.notFound.cloudEventsType == "rastro.product.not_found")
        #expect(EventType.operated.cloudEventsType == "rastro.log.operated")
        #expect(Set(EventType.allCases.map(\.cloudEventsType)).count == EventType.allCases.count)
    }

    @Test("stored numbers of auth methods and routes never change")
    func others() {
        #expect(AuthMethod.allCases.map(\.name) == ["key", "act-as", "jwt", "cli", "system"])
        #expect(AuthMethod.allCases.map(\.rawValue) == Array(1...5))
        #expect(AuthMethod(name: "act-as") == .actAs)
        #expect(AuthMethod(name: "actAs") == nil)
        let routes = ["get", "list", "head", "post", "put", "patch", "delete", "cli", "import", "audit", "system"]
        #expect(Via.allCases.map(\.name) == routes)
        #expect(Via.allCases.map(\.rawValue) == Array(1...11))
        for via in Via.allCases { #expect(Via(name: via.name) == via) }
        #expect(Via(name: "GET") == nil)
    }
}
