/// What receives that were given a name got, for five minutes: repeating one gives the same.
struct ReceiveAttempts {
    private var given: [String: (messages: [QueueMessage], at: Int64)] = [:]
    private var order = FirstInFirstOut<(name: String, at: Int64)>()
    private static let lifetime: Int64 = 300_000_000
    private static let limit = 10_000

    mutating func add(_ messages: [QueueMessage], as name: String, now: Int64) {
        while let oldest = order.first, oldest.at + Self.lifetime < now || order.count >= Self.limit {
            order.popFirst()
            if given[oldest.name]?.at == oldest.at { given[oldest.name] = nil }
        }
        given[name] = (messages, now)
        order.append((name, now))
    }

    func find(_ name: String, now: Int64) -> [QueueMessage]? {
        guard let attempt = given[name], attempt.at + Self.lifetime >= now else { return nil }
        return attempt.messages
    }

    mutating func forget(_ name: String) { given[name] = nil }
}
