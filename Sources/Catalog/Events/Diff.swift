/// What lies between two states of a product.
package enum Diff {
    /// The fields that differ, in field order; id, version and times are no fields.
    package static func changes(from old: Product, to new: Product) -> [FieldChange] {
        FieldChange.between(old.fields, new.fields)
    }
}
