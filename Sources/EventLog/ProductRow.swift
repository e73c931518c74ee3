package import Catalog
package import LibPQ

/// Reads products from rows that begin with `find_products`' columns, and writes them for `insert_products`.
package enum ProductRow {
    /// The state of the product in a row; `offset` is the column of its id.
    package static func state(_ row: Row, offset: Int = 0) throws(PostgresError) -> (ProductID, ProductState) {
        let (id, removed) = (try row.int64(offset), try row.optionalBool(offset + 10))
        guard let productID = ProductID(id), let price = Price(tenThousandths: try row.int64(offset + 5)) else {
            throw PostgresError(code: .decoding, message: "products row \(id) is out of range")
        }
        let product = Product(
            id: productID,
            fields: ProductFields(
                code: try row.text(offset + 2),
                name: try row.text(offset + 3),
                model: try row.text(offset + 4),
                price: price,
                url: try row.optionalText(offset + 6),
                expiresAt: try row.optionalTimestamp(offset + 7).map(Timestamp.init(microseconds:))
            ),
            version: Int64(try row.int32(offset + 1)) - (removed == true ? 1 : 0),
            createdAt: Timestamp(microseconds: try row.timestamp(offset + 8)),
            updatedAt: Timestamp(microseconds: try row.timestamp(offset + 9))
        )
        guard removed == true else { return (productID, .live(product)) }
        return (productID, .deleted(last: product, version: product.version + 1))
    }
}
