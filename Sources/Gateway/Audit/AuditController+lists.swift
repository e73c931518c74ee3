import Audit
import Catalog
import EventLog
import HTTPTypes
import Hummingbird

extension AuditController {
    private static let limits = AuditQueries.limits
    private static let defaultLimit = Int64(AuditQueries.defaultLimit)

    /// `GET /v1/audit/events?product=&user=&type=…`
    @Sendable
    func events(_ exchange: Exchange) async throws -> Response {
        let query = try AuditParameters(exchange.request, known: AuditParameters.filters + ["product", "user"])
        let filter = try query.filter()
        return try await list(exchange, query, filter, name: "events") { queries, limit, cursor in
            try await queries.events(filter, limit: limit, cursor: cursor)
        }
    }

    /// `GET /v1/audit/products/{id}/events`, narrowed by the same filters
    @Sendable
    func productEvents(_ exchange: Exchange) async throws -> Response {
        let path = try PathID(exchange.pathPart("id"))
        let query = try AuditParameters(exchange.request, known: AuditParameters.filters + ["user"])
        var filter = try query.filter()
        filter.narrow(to: path)
        return try await list(exchange, query, filter, name: "product-events") { [filter] queries, limit, cursor in
            try await queries.productEvents(path.number, filter, limit: limit, cursor: cursor)
        }
    }

    /// `GET /v1/audit/users/{userId}/events`, narrowed by the same filters
    @Sendable
    func userEvents(_ exchange: Exchange) async throws -> Response {
        guard let user = PercentEncoding.decode(exchange.pathPart("userId").utf8).flatMap(UserID.init(any:)) else {
            throw Problem(.invalidPath, "that is no user id: 1 to 128 characters without control characters")
        }
        let query = try AuditParameters(exchange.request, known: AuditParameters.filters + ["product"])
        var filter = try query.filter()
        filter.users = [user]
        return try await list(exchange, query, filter, name: "user-events") { [filter] queries, limit, cursor in
            try await queries.userEvents(user, filter, limit: limit, cursor: cursor)
        }
    }

    /// `GET /v1/audit/products/{id}/viewers?limit=&cursor=`
    @Sendable
    func viewers(_ exchange: Exchange) async throws -> Response {
        let path = try PathID(exchange.pathPart("id"))
        let query = try AuditParameters(exchange.request, known: [])
        let limit = try query.limit()
        let product = path.number
        let name = "viewers of \(product)"
        let cursor = try pageCursor(query, name).map { EventCursor(head: $0[0], position: $0[1]) }
        let page = try await queries(exchange).viewers(of: product, limit: limit, cursor: cursor)
        let next = page.next.map { encode([$0.head, $0.position], name) }
        return answer(page.viewers, next, page.queryPosition, exchange, query) { $0.viewer($1) }
    }

    /// `GET /v1/audit/access?at=TIME&limit=&cursor=`; without `at`, now
    @Sendable
    func access(_ exchange: Exchange) async throws -> Response {
        let query = try AuditParameters(exchange.request, known: ["at"])
        let limit = try query.limit()
        let time = try query.single.time("at")
        let name = "access at \(time?.description ?? "now")"
        let cursor = try pageCursor(query, name).map { values in
            AccessCursor(time: Timestamp(microseconds: values[0]), number: Int32(truncatingIfNeeded: values[1]))
        }
        let page = try await queries(exchange).access(at: time, limit: limit, cursor: cursor)
        let next = page.next.map { encode([$0.time.microseconds, Int64($0.number)], name) }
        return answer(page.keys, next, page.queryPosition, exchange, query) { $0.keyThen($1) }
    }

    private func list(
        _ exchange: Exchange,
        _ query: AuditParameters,
        _ filter: EventFilter,
        name: String,
        _ read: (AuditQueries, Int, EventCursor?) async throws -> EventPage
    ) async throws -> Response {
        let limit = try query.limit()
        let name = "\(name) \(filter.canonical)"
        let cursor = try pageCursor(query, name).map { EventCursor(head: $0[0], position: $0[1]) }
        let page = try await read(queries(exchange), limit, cursor)
        let next = page.next.map { encode([$0.head, $0.position], name) }
        return answer(page.events, next, page.queryPosition, exchange, query) { $0.event($1) }
    }

    /// `{"items": […], "next": …}`
    private func answer<Item>(
        _ items: [Item],
        _ next: String?,
        _ queryPosition: Int64,
        _ exchange: Exchange,
        _ query: AuditParameters,
        _ write: (inout JSONWriter, Item) -> Void
    ) -> Response {
        var writer = JSONWriter(reserving: 64 + items.count * 512)
        writer.beginObject()
        writer.key("items")
        writer.beginArray()
        for item in items { write(&writer, item) }
        writer.endArray()
        writer.member("next", next)
        writer.endObject()
        let link = next.map { query.link(to: $0, path: exchange.request.uri.path) }
        return answer(writer, queryPosition, next: link)
    }

    private func pageCursor(_ query: AuditParameters, _ name: String) throws(Problem) -> [Int64]? {
        guard let text = query.single["cursor"] else { return nil }
        return try PageCursor(
            text,
            filter: "audit \(name)",
            incarnation: log.identity.incarnation,
            count: 2
        ).values
    }

    private func encode(_ values: [Int64], _ name: String) -> String {
        PageCursor(values).encode(filter: "audit \(name)", incarnation: log.identity.incarnation)
    }
}
