import Catalog
import EventLog
import HTTPTypes
import Hummingbird
package import LibPQ

/// A pool through which products are also served without an event: what a bench compares audited fetches with. A server
/// for use has none.
package struct UnauditedSource: Sendable {
    package let name: String
    package let pool: Pool

    /// - Parameter name: a part of the path.
    package init(name: String, pool: Pool) {
        self.name = name
        self.pool = pool
    }

    /// What a product's id is added to.
    package static func path(name: String) -> String { "/bench/unaudited/\(name)/" }
}

/// The fetch as it would be without the log: the same request, the same answer, a plain select.
struct UnauditedFetch: Sendable {
    let products: ProductsController
    let pool: Pool
    private static let select = Statement(
        name: "unaudited_fetch",
        text: """
            select id, version, code, name, model, (price * 10000)::bigint as price, url, expires_at, created_at, \
            updated_at, removed from products where id = $1::bigint
            """
    )

    @Sendable
    func fetch(_ exchange: Exchange) async throws -> Response {
        let path = try PathID(exchange.pathPart("id"))
        _ = try QueryParameters(exchange.request, known: [])
        let known = try products.ifNoneMatch(exchange)
        let id = try path.productID()
        let found = try await pool.withConnection { session in
            try session.query(Self.select, Parameters().int64(id.rawValue)).first.map { try ProductRow.state($0).1 }
        }
        guard case .live(let product) = found else { throw Problem(.notFound(id), position: nil) }
        let outcome = Outcome(position: nil, answer: .product(product, changed: false))
        guard !products.tags.isNamed(product.version, in: known) else {
            return Response(status: .notModified, headers: products.headers(of: product, outcome))
        }
        return products.answer(.ok, product, outcome)
    }
}
