import Audit
import Catalog
import EventLog
import HTTPTypes
import Hummingbird

/// `/v1/audit/…`: what an auditor asks. Every request that can be read is itself an AUDIT_QUERIED event.
struct AuditController: Sendable {
    let log: EventLog

    /// All of its routes.
    var routes: [Route] {
        [
            route("/v1/audit/products/{id}", productState),
            route("/v1/audit/products/{id}/events", productEvents),
            route("/v1/audit/products/{id}/viewers", viewers),
            route("/v1/audit/products/{id}/diff", diff),
            route("/v1/audit/users/{userId}/events", userEvents),
            route("/v1/audit/access", access),
            route("/v1/audit/events", events),
            route("/v1/audit/events/{position}", event),
        ]
    }

    private func route(_ path: String, _ handler: @escaping Route.Handler) -> Route {
        .scoped(.get, path, .auditRead, via: .audit, caching: .never) { exchange in
            do {
                return try await handler(exchange)
            } catch let failure as AuditFailure {
                return try Self.answer(to: failure, exchange)
            }
        }
    }

    func queries(_ exchange: Exchange) -> AuditQueries { AuditQueries(log: log, context: exchange.eventContext) }

    /// `GET /v1/audit/products/{id}?at=TIME`, `?position=N` or `?version=V`
    @Sendable
    private func productState(_ exchange: Exchange) async throws -> Response {
        let path = try PathID(exchange.pathPart("id"))
        let query = try QueryParameters(exchange.request, known: ["at", "position", "version"])
        let moments = try [
            query.time("at").map(ProductMoment.time),
            query.integer("position", in: 1...Int64.max).map(ProductMoment.position),
            query.integer("version", in: 1...Int64.max).map(ProductMoment.version),
        ].compactMap { $0 }
        guard moments.count == 1 else {
            throw Problem(.invalidQuery, "name one moment: 'at', 'position' or 'version'")
        }
        let then = try await queries(exchange).state(of: path.number, at: moments[0])
        var writer = JSONWriter(reserving: 512)
        writer.productThen(then)
        return answer(writer, then.queryPosition)
    }

    /// `GET /v1/audit/products/{id}/diff?from=V&to=V`
    @Sendable
    private func diff(_ exchange: Exchange) async throws -> Response {
        let path = try PathID(exchange.pathPart("id"))
        let query = try QueryParameters(exchange.request, known: ["from", "to"])
        let versions = 1...Int64.max
        guard let from = try query.integer("from", in: versions), let to = try query.integer("to", in: versions) else {
            throw Problem(.invalidQuery, "name two versions: 'from' and 'to'")
        }
        let diff = try await queries(exchange).diff(of: path.number, from: from, to: to)
        var writer = JSONWriter(reserving: 512)
        writer.productDiff(diff)
        return answer(writer, diff.queryPosition)
    }

    /// `GET /v1/audit/events/{position}`
    @Sendable
    private func event(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        let text = exchange.pathPart("position")
        guard let position = Int64(canonical: text), position > 0 else {
            throw Problem(
                .invalidPath,
                "'\(text.excerpt)' is no position: it must be a positive integer in decimal digits"
            )
        }
        let (event, queryPosition) = try await queries(exchange).event(at: position)
        var writer = JSONWriter(reserving: 2_048)
        writer.eventWithLeaf(event, log.identity)
        return answer(writer, queryPosition)
    }

    func answer(_ writer: JSONWriter, _ queryPosition: Int64, next: String? = nil) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .eventPosition: String(queryPosition)]
        if let next { headers[.link] = "<\(next)>; rel=\"next\"" }
        return Response(status: .ok, headers: headers, body: ResponseBody(json: writer))
    }

    /// A question without an answer. It was asked and recorded: no refusal that would count against the caller.
    private static func answer(to failure: AuditFailure, _ exchange: Exchange) throws -> Response {
        let code: ProblemCode =
            switch failure.code {
            case .invalid: .invalidQuery
            case .notFoundThen: .notFoundThen
            case .noSuchEvent: .eventNotFound
            }
        let problem = Problem(code, failure.description).at(position: failure.queryPosition)
        return problem.response(to: exchange.request, requestID: exchange.context.requestID)
    }
}
