/// All of a product's fields anew, validated: what a PUT asks for.
package struct Replacement: Sendable, Hashable {
    package let fields: ProductFields

    /// Reads a PUT body: `code`, `name` and `price` are required; when absent, `model` is "" as in a POST, `url` and
    /// `expiresAt` are cleared. `version`, `createdAt` and `updatedAt` are ignored; an `id` must be the path's.
    package init(json: JSONValue, id: ProductID) throws(FieldFaults) {
        let body = try BodyReader(json, for: .replace(id))
        guard let code = body.code, let name = body.name, let price = body.price else { throw FieldFaults([]) }
        fields = ProductFields(
            code: code,
            name: name,
            model: body.model ?? "",
            price: price,
            url: body.url ?? nil,
            expiresAt: body.expiresAt ?? nil
        )
    }

    /// Takes fields that came another way.
    package init(fields: ProductFields) throws(FieldFaults) {
        let faults = fields.faults
        guard faults.isEmpty else { throw FieldFaults(faults) }
        self.fields = fields
    }
}
