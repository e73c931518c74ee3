/// Changes to some of a product's fields, validated: what a PATCH asks for (RFC 7396, JSON Merge Patch).
package struct Patch: Sendable, Hashable {
    /// What a patch does to one field.
    package enum Edit<Value: Sendable & Hashable>: Sendable, Hashable {
        case keep
        case set(Value)

        func applied(to value: Value) -> Value {
            switch self {
            case .keep: value
            case .set(let new): new
            }
        }
    }

    package let code: Edit<String>
    package let name: Edit<String>
    package let model: Edit<String>
    package let price: Edit<Price>
    /// `.set(nil)` clears it.
    package let url: Edit<String?>
    /// `.set(nil)` clears it.
    package let expiresAt: Edit<Timestamp?>

    /// Reads a merge patch: null clears `url` and `expiresAt` and is a fault elsewhere. `version`, `createdAt` and
    /// `updatedAt` are ignored; an `id` must be the path's.
    package init(json: JSONValue, id: ProductID) throws(FieldFaults) {
        let body = try BodyReader(json, for: .patch(id))
        code = body.code.map { .set($0) } ?? .keep
        name = body.name.map { .set($0) } ?? .keep
        model = body.model.map { .set($0) } ?? .keep
        price = body.price.map { .set($0) } ?? .keep
        url = body.url.map { .set($0) } ?? .keep
        expiresAt = body.expiresAt.map { .set($0) } ?? .keep
    }

    /// The fields after the patch. They are valid when `fields` are: no rule spans two of them.
    package func applied(to fields: ProductFields) -> ProductFields {
        ProductFields(
            code: code.applied(to: fields.code),
            name: name.applied(to: fields.name),
            model: model.applied(to: fields.model),
            price: price.applied(to: fields.price),
            url: url.applied(to: fields.url),
            expiresAt: expiresAt.applied(to: fields.expiresAt)
        )
    }
}
