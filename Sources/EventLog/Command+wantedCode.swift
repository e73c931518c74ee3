import Catalog

extension Command {
    /// The code that the product is to have; nil when the command asks for none.
    var wantedCode: String? {
        switch self {
        case .create(let product, _): product.fields.code
        case .replace(_, let replacement, _): replacement.fields.code
        case .patch(_, let patch, _):
            if case .set(let code) = patch.code { code } else { nil }
        case .delete, .fetch, .expire: nil
        }
    }
}
