/// Why an event cannot follow a state: the history was corrupted, or the state was.
package enum ReplayFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// CREATED for an id that is or was in use.
    case alreadyUsed
    /// A change or fetch of a product that never was or is gone.
    case notLive
    case wrongProduct(expected: ProductID)
    case wrongVersion(expected: Int64, found: Int64?)
    case wrongCode
    /// The event lacks its data, or holds another type's.
    case wrongData
    /// An UPDATED whose old value of this field is not the state's, or that names the field twice.
    case wrongOldValue(ProductField)
    /// A DELETED or EXPIRED whose product is not the state's.
    case wrongLastState
    /// A CREATED whose times are not the event's, or an event older than the state.
    case wrongTime

    package var description: String {
        switch self {
        case .alreadyUsed: "it creates an id that is or was in use"
        case .notLive: "its product does not live"
        case .wrongProduct(let expected): "it belongs to another product than \(expected)"
        case .wrongVersion(let expected, let found):
            "its version is \(found.map { String($0) } ?? "absent") where \(expected) is due"
        case .wrongCode: "its code is not the product's"
        case .wrongData: "its data does not fit its type"
        case .wrongOldValue(let field): "its old value of \(field.rawValue) is not the product's"
        case .wrongLastState: "its last state is not the product's"
        case .wrongTime: "its time does not fit"
        }
    }
}
