/// What a client asks of one product.
package enum Command: Sendable, Hashable {
    /// `assignedID` is the id to use when the client named none.
    case create(NewProduct, assignedID: ProductID)
    case replace(ProductID, Replacement, Precondition)
    case patch(ProductID, Patch, Precondition)
    case delete(ProductID, Precondition)
    case fetch(ProductID)
    /// The server's own: end the product if its time is over.
    case expire(ProductID)

    /// The product that the command is about.
    package var productID: ProductID {
        switch self {
        case .create(let new, let assigned): new.id ?? assigned
        case .replace(let id, _, _), .patch(let id, _, _), .delete(let id, _), .fetch(let id),
            .expire(let id):
            id
        }
    }
}
