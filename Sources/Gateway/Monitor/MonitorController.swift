import Catalog
import EventLog
import HTTPTypes
import Hummingbird
import Monitoring

/// What operators and their tools ask.
struct MonitorController: Sendable {
    let scrape: MetricsScrape

    /// While the database is away nobody's key can be looked up, and that is when metrics are wanted: a key that was
    /// right within this time passes. They name no product and no user.
    private static let keyGrace: Duration = .seconds(3_600)

    var routes: [Route] {
        var scraping: Route = .scoped(.get, "/metrics", .monitorRead, via: .get, caching: .never, metrics)
        scraping.keyGrace = Self.keyGrace
        return [scraping]
    }

    /// `GET /metrics`: Prometheus's text format.
    @Sendable
    func metrics(_ exchange: Exchange) async throws -> Response {
        _ = try QueryParameters(exchange.request, known: [])
        let text = await scrape.exposition().text
        let headers: HTTPFields = [.contentType: Exposition.contentType]
        return Response(status: .ok, headers: headers, body: ResponseBody(bytes: Array(text.utf8)))
    }
}
