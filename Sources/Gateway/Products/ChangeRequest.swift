import Catalog
import HTTPTypes
import Hummingbird

/// What PUT, PATCH and DELETE have in common before their bodies are looked at.
struct ChangeRequest {
    let path: PathID
    let ifMatch: EntityTagList?
    let precondition: Precondition

    /// - Throws: the 400s of path, query and headers.
    init(_ exchange: Exchange, tags: VersionTag) throws(Problem) {
        path = try PathID(exchange.pathPart("id"))
        _ = try QueryParameters(exchange.request, known: [])
        try refuseConditions(exchange, .ifNoneMatch)
        ifMatch = try conditions(exchange, .ifMatch)
        precondition = tags.precondition(ifMatch)
    }
}

/// The tags of a conditional header; nil without it.
///
/// - Throws: `invalid-header` when it is malformed.
func conditions(_ exchange: Exchange, _ name: HTTPField.Name) throws(Problem) -> EntityTagList? {
    let values = exchange.request.headers[values: name]
    guard !values.isEmpty else { return nil }
    guard let list = EntityTagList(values) else {
        throw Problem(.invalidHeader, "\(name.rawName) must be * or a list of entity tags, each in double quotes")
    }
    return list
}

/// A condition that would be ignored is refused, so that nobody relies on it.
func refuseConditions(_ exchange: Exchange, _ names: HTTPField.Name...) throws(Problem) {
    for name in names where exchange.request.headers.contains(name) {
        throw Problem(.invalidHeader, "\(name.rawName) has no meaning for this method here")
    }
}

extension PathID {
    /// An id to judge a body by. For a path beyond the range it stands in, as a body is judged before its product is
    /// missed.
    func productIDForBody() throws(Problem) -> ProductID {
        if case .beyondRange = self, let largest = ProductID(ProductID.largest) { return largest }
        return try productID()
    }
}
