import Catalog
import Crypto
import Foundation
import Synchronization
import Testing

/// Somebody's endpoint: keeps what it was sent, in order, checks signatures, and answers as it is told.
final class WebhookReceiver: Sendable {
    struct Message: Sendable {
        let id: String
        let position: Int64
        let group: String
        let host: String
        let signatures: [String]
        let signed: [UInt8]

        /// Whether one of the signatures was made with a secret.
        func isSigned(with secret: String) -> Bool {
            guard let key = Data(base64Encoded: String(secret.dropFirst("whsec_".count))) else { return false }
            let code = HMAC<SHA256>.authenticationCode(for: signed, using: SymmetricKey(data: key))
            return signatures.contains("v1," + Data(code).base64EncodedString())
        }
    }

    private struct State {
        var answer: @Sendable (Message) -> LoopbackServer.Answer = { _ in LoopbackServer.Answer(status: 204) }
        var taken: [Message] = []
        var requests: [Message] = []
    }

    private let state = Mutex(State())
    private let holder = Mutex<LoopbackServer?>(nil)

    init() throws {
        let server = try LoopbackServer(requests: { [weak self] in
            self?.receive($0) ?? LoopbackServer.Answer(hangsUp: true)
        })
        holder.withLock { $0 = server }
    }

    func stop() { holder.withLock { $0?.stop() } }

    func answer(_ answer: @escaping @Sendable (Message) -> LoopbackServer.Answer) {
        state.withLock { $0.answer = answer }
    }

    var port: Int { holder.withLock { $0?.port ?? 0 } }
    var url: String { "http://127.0.0.1:\(port)/events?from=rastro" }
    /// What was answered with 2xx.
    var taken: [Message] { state.withLock(\.taken) }
    var requests: [Message] { state.withLock(\.requests) }

    /// Positions that were taken, by product.
    var order: [String: [Int64]] { Dictionary(grouping: taken, by: \.group).mapValues { $0.map(\.position) } }

    private func receive(_ request: LoopbackServer.Request) -> LoopbackServer.Answer {
        let (id, seconds) = (request.field("webhook-id"), request.field("webhook-timestamp"))
        let event = (try? JSONParser.parse(request.body)) ?? .null
        var group = "log"
        if case .string(let subject)? = event["subject"], subject.hasPrefix("product/") {
            group = String(subject.dropFirst("product/".count))
        }
        let message = Message(
            id: id,
            position: id.split(separator: "-").dropFirst().first.flatMap { Int64($0) } ?? 0,
            group: group,
            host: request.field("host"),
            signatures: request.field("webhook-signature").split(separator: " ").map(String.init),
            signed: Array("\(id).\(seconds).".utf8) + request.body
        )
        let answer = state.withLock { state in
            state.requests.append(message)
            return state.answer
        }(message)
        if (200...299).contains(answer.status), !answer.hangsUp { state.withLock { $0.taken.append(message) } }
        return answer
    }
}
