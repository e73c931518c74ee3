/// Gathers the answers to messages that were published together; used on one event loop.
final class ExchangeBatch {
    typealias Answer = Result<NATSMessage, NATSError>

    private var answers: [Answer?]
    private var missing: Int
    private let isFailure: (NATSMessage) -> Bool
    private let finish: ([Answer]) -> Void
    private(set) var hasFailed = false

    init(count: Int, isFailure: @escaping (NATSMessage) -> Bool, finish: @escaping ([Answer]) -> Void) {
        answers = Array(repeating: nil, count: count)
        missing = count
        self.isFailure = isFailure
        self.finish = finish
    }

    func complete(_ index: Int, _ answer: Answer) {
        guard answers[index] == nil else { return }
        answers[index] = answer
        missing -= 1
        switch answer {
        case .success(let message): if isFailure(message) { hasFailed = true }
        case .failure: hasFailed = true
        }
        if missing == 0 { finish(answers.compactMap(\.self)) }
    }
}
