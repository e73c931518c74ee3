package import Catalog
package import EventLog

/// Events as lines for a terminal.
package enum EventText {
    /// One line: time, position, type, product and version, who and how, what changed.
    ///
    ///     2026-11-24T03:06:03.123456Z  #1234  UPDATED  product 5 v3 COD5  by ana (key k1, put)  price: 19.9 → 17.9
    ///
    /// Control and format characters of stored text are shown as escapes: they cannot move a terminal's cursor.
    package static func line(_ event: RecordedEvent) -> String {
        var parts = [event.recordedAt.description, "#\(event.position)", event.type.name]
        if let subject = subject(of: event) { parts.append(subject) }
        parts.append(who(event))
        if let detail = detail(of: event) { parts.append(detail) }
        return printable(parts.joined(separator: "  "))
    }

    /// `price: 19.9 → 17.9, url: – → "https://…"`
    package static func changes(_ changes: [FieldChange]) -> String {
        changes.map { change in
            let (old, new) = values(of: change)
            return printable("\(change.field.rawValue): \(old) → \(new)")
        }.joined(separator: ", ")
    }

    /// Text in which every control and format character is an escape such as `\u{1b}`.
    package static func printable(_ text: String) -> String {
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                shown.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default: shown.append(scalar)
            }
        }
        return String(shown)
    }

    private static func subject(of event: RecordedEvent) -> String? {
        guard let product = event.productID else { return nil }
        let version = event.version.map { " v\($0)" } ?? ""
        return "product \(product)\(version)\(event.code.map { " \($0)" } ?? "")"
    }

    private static func who(_ event: RecordedEvent) -> String {
        let client = event.clientID.map { " \($0)" } ?? ""
        return "by \(event.userName) (\(event.auth.name)\(client), \(event.via.name))"
    }

    private static func detail(of event: RecordedEvent) -> String? {
        guard let data = event.data else { return nil }
        guard event.type.isChange,
            let decoded = try? EventData.decode(type: event.type, schema: event.schema, bytes: data)
        else { return String(decoding: data, as: UTF8.self) }
        switch decoded {
        case .updated(let changes): return Self.changes(changes)
        case .created(let product): return "\(quoted(product.name)) at \(product.price)"
        case .deleted(let product): return "was \(quoted(product.name)) at \(product.price)"
        }
    }

    private static func values(of change: FieldChange) -> (String, String) {
        switch change {
        case .code(let old, let new), .name(let old, let new), .model(let old, let new): (quoted(old), quoted(new))
        case .price(let old, let new): (old.description, new.description)
        case .url(let old, let new): (old.map(quoted) ?? "–", new.map(quoted) ?? "–")
        case .expiresAt(let old, let new): (old?.description ?? "–", new?.description ?? "–")
        }
    }

    private static func quoted(_ text: String) -> String { "\"\(text)\"" }
}
