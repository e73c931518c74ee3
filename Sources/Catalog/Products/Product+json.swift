extension JSONWriter {
    /// `{"id","code","name","model","price","url","expiresAt","version","createdAt","updatedAt"}` in this order, absent
    /// optionals as null.
    package mutating func product(_ product: Product) {
        beginObject()
        member("id", product.id)
        member("code", product.code)
        member("name", product.name)
        member("model", product.model)
        member("price", product.price)
        member("url", product.url)
        member("expiresAt", product.expiresAt)
        member("version", product.version)
        member("createdAt", product.createdAt)
        member("updatedAt", product.updatedAt)
        endObject()
    }
}

extension Product {
    /// The product as every answer and event shows it.
    package func encode() -> [UInt8] {
        var writer = JSONWriter(reserving: 288 + code.utf8.count + name.utf8.count + model.utf8.count)
        writer.product(self)
        return writer.bytes
    }
}
