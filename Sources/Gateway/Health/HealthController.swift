import Catalog
import HTTPTypes
import Hummingbird

/// `/livez` and `/readyz`: open to all, they tell nothing but names of checks.
struct HealthController: Sendable {
    let checks: [ReadinessCheck]

    /// `GET /livez`: the process answers.
    @Sendable
    func live(_ request: Request, _ context: RastroRequestContext) async throws -> Response {
        var writer = JSONWriter(reserving: 32)
        writer.beginObject()
        writer.member("status", "ok")
        writer.endObject()
        return Self.answer(.ok, writer)
    }

    /// `GET /readyz`: 200 when every check passes, else 503; `{"status", "checks": {"database": "ok", …}}`.
    @Sendable
    func ready(_ request: Request, _ context: RastroRequestContext) async throws -> Response {
        var faults: [(name: String, fault: String?)] = []
        for check in checks { faults.append((check.name, await check.check())) }
        let isReady = faults.allSatisfy { $0.fault == nil }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("status", isReady ? "ok" : "unavailable")
        writer.key("checks")
        writer.beginObject()
        for (name, fault) in faults {
            writer.key(named: name)
            writer.string(fault ?? "ok")
        }
        writer.endObject()
        writer.endObject()
        var response = Self.answer(isReady ? .ok : .serviceUnavailable, writer)
        if !isReady { response.headers[.retryAfter] = "2" }
        return response
    }

    private static func answer(_ status: HTTPResponse.Status, _ writer: JSONWriter) -> Response {
        let headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        return Response(status: status, headers: headers, body: ResponseBody(json: writer))
    }
}
