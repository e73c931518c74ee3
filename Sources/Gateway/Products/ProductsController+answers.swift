import Catalog
import EventLog
import HTTPTypes
import Hummingbird

extension ProductsController {
    /// The product that an outcome shows.
    ///
    /// - Throws: the problem that a rejection is.
    static func product(in outcome: Outcome) throws(Problem) -> Product {
        switch outcome.answer {
        case .product(let product, _): return product
        case .rejected(let rejection): throw Problem(rejection, position: outcome.position)
        case .deleted, .products, .noted: throw Problem(.internal, "the server failed: it gave another kind of answer")
        }
    }

    func answer(_ status: HTTPResponse.Status, _ product: Product, _ outcome: Outcome) -> Response {
        var headers = headers(of: product, outcome)
        headers[.contentType] = "application/json"
        return Response(status: status, headers: headers, body: ResponseBody(bytes: product.encode()))
    }

    func headers(of product: Product, _ outcome: Outcome) -> HTTPFields {
        var headers = Self.headers(outcome)
        headers[.eTag] = tags.text(product.version)
        return headers
    }

    static func headers(_ outcome: Outcome) -> HTTPFields {
        guard let position = outcome.position else { return [:] }
        return [.eventPosition: String(position)]
    }

    /// The tags of `If-None-Match`; nil without it.
    func ifNoneMatch(_ exchange: Exchange) throws(Problem) -> EntityTagList? {
        try refuseConditions(exchange, .ifMatch)
        return try conditions(exchange, .ifNoneMatch)
    }
}
