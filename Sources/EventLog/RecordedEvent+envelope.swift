/// What an event's CloudEvents envelope says, in messages and in leaves alike.
extension RecordedEvent {
    /// `product/5`, or `log` for an event about no product.
    package var subject: String { productID.map { "product/\($0)" } ?? "log" }

    /// The position in 20 digits, so that text order is log order.
    package var sequence: String {
        let digits = String(position)
        return String(repeating: "0", count: max(0, 20 - digits.utf8.count)) + digits
    }
}
