extension ProductFields {
    /// All that is wrong with them, in field order; empty when they may be stored.
    ///
    /// Lengths count Unicode scalars, as PostgreSQL's `char_length` does.
    package var faults: [FieldFault] {
        [
            TextRule.code.fault(code, at: .code),
            TextRule.name.fault(name, at: .name),
            TextRule.model.fault(model, at: .model),
            url.flatMap { TextRule.url.fault($0, at: .url) },
        ].compactMap { $0 }
    }
}

/// What a text field may hold.
struct TextRule {
    /// In Unicode scalars.
    let longest: Int
    let mayBeEmpty: Bool
    var isURL = false

    static let code = TextRule(longest: 64, mayBeEmpty: false)
    static let name = TextRule(longest: 200, mayBeEmpty: false)
    static let model = TextRule(longest: 200, mayBeEmpty: true)
    static let url = TextRule(longest: 2_048, mayBeEmpty: false, isURL: true)

    func fault(_ text: String, at field: ProductField) -> FieldFault? {
        func fault(_ code: FieldFault.Code, _ detail: String) -> FieldFault {
            FieldFault(pointer: field.pointer, code: code, detail: detail)
        }
        let bytes = text.utf8
        if bytes.isEmpty { return mayBeEmpty ? nil : fault(.empty, "must not be empty") }
        if bytes.count > longest, text.unicodeScalars.count > longest {
            return fault(.tooLong, "is longer than \(longest) characters")
        }
        if bytes.contains(0) { return fault(.nul, "must not contain the character U+0000") }
        if isURL, let problem = WebAddress.problem(in: text) { return fault(.format, problem.rawValue) }
        return nil
    }
}
