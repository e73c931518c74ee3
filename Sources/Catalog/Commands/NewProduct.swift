/// A product to be made, validated.
package struct NewProduct: Sendable, Hashable {
    /// The id that the client asks for; nil leaves it to the log.
    package let id: ProductID?
    package let fields: ProductFields

    /// Reads a POST body: `code`, `name` and `price` are required, `model` is "" when absent, `id` is optional.
    package init(json: JSONValue) throws(FieldFaults) {
        let body = try BodyReader(json, for: .create)
        guard let code = body.code, let name = body.name, let price = body.price else { throw FieldFaults([]) }
        id = body.id
        fields = ProductFields(
            code: code,
            name: name,
            model: body.model ?? "",
            price: price,
            url: body.url ?? nil,
            expiresAt: body.expiresAt ?? nil
        )
    }

    /// Takes fields that came another way, such as a row of an import.
    package init(id: ProductID? = nil, fields: ProductFields) throws(FieldFaults) {
        let faults = fields.faults
        guard faults.isEmpty else { throw FieldFaults(faults) }
        self.id = id
        self.fields = fields
    }
}
