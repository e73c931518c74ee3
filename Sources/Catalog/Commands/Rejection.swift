/// Why a command is refused.
package enum Rejection: Error, Sendable, Hashable, CustomStringConvertible {
    /// There never was such a product.
    case notFound(ProductID)
    /// It was deleted or has expired; `version` is the one that this made.
    case gone(ProductID, version: Int64)
    /// `If-Match` names no version that is current.
    case preconditionFailed(current: Int64)
    /// Another live product has the code.
    case codeTaken(by: ProductID)
    /// A live product has the id.
    case idTaken(ProductID)
    /// A product that is gone had the id; it is never given again.
    case idUsed(ProductID)
    case invalid([FieldFault])

    /// Safe to show to anyone.
    package var description: String {
        switch self {
        case .notFound(let id): "there is no product \(id)"
        case .gone(let id, let version): "product \(id) is gone since its version \(version)"
        case .preconditionFailed(let current): "the current version is \(current)"
        case .codeTaken(let id): "product \(id) has this code"
        case .idTaken(let id): "product \(id) exists already"
        case .idUsed(let id): "the id \(id) was used before and is never given again"
        case .invalid(let faults): FieldFaults(faults).description
        }
    }
}
