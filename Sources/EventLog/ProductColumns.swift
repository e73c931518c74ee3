import Catalog
import LibPQ

/// Projection rows to be written, column by column as the statements take them.
struct ProductColumns {
    private(set) var ids: [Int64] = []
    private var versions: [Int32] = []
    private var codes: [String] = []
    private var names: [String] = []
    private var models: [String] = []
    private var prices: [Int64] = []
    private var urls: [String?] = []
    private var expiries: [Int64?] = []
    private var created: [Int64] = []
    private var updated: [Int64] = []
    private var removed: [Bool] = []

    var isEmpty: Bool { ids.isEmpty }

    /// Adds one product's row; `absent` has none.
    mutating func append(_ state: ProductState) {
        switch state {
        case .absent: break
        case .live(let product): append(product, version: product.version, removed: false)
        case .deleted(let last, let version): append(last, version: version, removed: true)
        }
    }

    private mutating func append(_ product: Product, version: Int64, removed isRemoved: Bool) {
        ids.append(product.id.rawValue)
        versions.append(Int32(truncatingIfNeeded: version))
        codes.append(product.code)
        names.append(product.name)
        models.append(product.model)
        prices.append(product.price.tenThousandths)
        urls.append(product.url)
        expiries.append(product.expiresAt?.microseconds)
        created.append(product.createdAt.microseconds)
        updated.append(product.updatedAt.microseconds)
        removed.append(isRemoved)
    }

    /// For `update_products`.
    var changes: Parameters {
        Parameters()
            .int64Array(ids).int32Array(versions).textArray(names).textArray(models).int64Array(prices)
            .textArray(urls).timestampArray(expiries).timestampArray(updated)
    }

    /// For `insert_products`.
    var parameters: Parameters {
        Parameters()
            .int64Array(ids).int32Array(versions).textArray(codes).textArray(names).textArray(models)
            .int64Array(prices).textArray(urls).timestampArray(expiries).timestampArray(created)
            .timestampArray(updated).boolArray(removed)
    }
}
