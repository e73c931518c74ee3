import Catalog
import SQSProtocol
import Synchronization

/// A FIFO queue of SQS as far as senders see it, with faults on demand: it keeps what it accepted, in order, and knows
/// repeated deduplication ids.
final class FaultyQueue: Sendable {
    enum Fault: Sendable {
        case failed(code: String, isSenders: Bool)
        case wrongDigest
    }

    enum RequestFault: Sendable {
        case status(Int, type: String)
        case hangUp
        /// Everything is taken, and the answer never comes.
        case lostAnswer
    }

    struct Message: Sendable {
        let group: String
        /// Without the log's incarnation.
        let deduplicationID: String
        let body: String
    }

    struct Faults: Sendable {
        var request: @Sendable (_ number: Int) -> RequestFault? = { _ in nil }
        var entry: @Sendable (_ deduplicationID: String, _ attempt: Int) -> Fault? = { _, _ in nil }
    }

    private struct State {
        var faults = Faults()
        var requests = 0
        var attempts: [String: Int] = [:]
        var seen: Set<String> = []
        var accepted: [Message] = []
        var repeated = 0
    }

    private let state = Mutex(State())
    private let holder = Mutex<LoopbackServer?>(nil)

    init(_ faults: Faults = Faults()) throws {
        state.withLock { $0.faults = faults }
        let server = try LoopbackServer(bodies: { [weak self] body in
            self?.answer(body) ?? LoopbackServer.Answer(hangsUp: true)
        })
        holder.withLock { $0 = server }
    }

    func stop() { holder.withLock { $0?.stop() } }

    func set(_ faults: Faults) { state.withLock { $0.faults = faults } }

    var url: String { "http://127.0.0.1:\(holder.withLock { $0?.port ?? 0 })/123456789012/products.fifo" }
    var accepted: [Message] { state.withLock(\.accepted) }
    var requests: Int { state.withLock(\.requests) }
    var repeated: Int { state.withLock(\.repeated) }
    func attempts(of deduplicationID: String) -> Int { state.withLock { $0.attempts[deduplicationID] ?? 0 } }

    private func answer(_ body: [UInt8]) -> LoopbackServer.Answer {
        state.withLock { state in
            state.requests += 1
            let fault = state.faults.request(state.requests)
            switch fault {
            case .hangUp: return LoopbackServer.Answer(hangsUp: true)
            case .status(let status, let type):
                let text = #"{"__type":"com.amazonaws.sqs#\#(type)","message":"as the test wants"}"#
                return LoopbackServer.Answer(status: status, body: Array(text.utf8))
            case nil, .lostAnswer:
                let answer = take(body, &state)
                if case .lostAnswer = fault { return LoopbackServer.Answer(hangsUp: true) }
                return LoopbackServer.Answer(body: answer)
            }
        }
    }

    private func take(_ body: [UInt8], _ state: inout State) -> [UInt8] {
        guard let json = try? JSONParser.parse(body), case .array(let entries)? = json["Entries"] else { return [] }
        var (successful, failed): ([String], [String]) = ([], [])
        for entry in entries {
            guard case .string(let id)? = entry["Id"], case .string(let text)? = entry["MessageBody"],
                case .string(let group)? = entry["MessageGroupId"],
                case .string(let messageID)? = entry["MessageDeduplicationId"],
                let deduplicationID = messageID.firstIndex(of: "-").map({ String(messageID[$0...].dropFirst()) })
            else { continue }
            state.attempts[deduplicationID, default: 0] += 1
            let fault = state.faults.entry(deduplicationID, state.attempts[deduplicationID] ?? 0)
            if case .failed(let code, let isSenders) = fault {
                failed.append(#"{"Id":"\#(id)","SenderFault":\#(isSenders),"Code":"\#(code)","Message":"no"}"#)
                continue
            }
            if state.seen.insert(deduplicationID).inserted {
                state.accepted.append(Message(group: group, deduplicationID: deduplicationID, body: text))
            } else {
                state.repeated += 1
            }
            let digest = fault == nil ? Digest.md5(Array(text.utf8)) : "0"
            successful.append(#"{"Id":"\#(id)","MessageId":"m","MD5OfMessageBody":"\#(digest)","SequenceNumber":"1"}"#)
        }
        let text =
            #"{"Successful":[\#(successful.joined(separator: ","))],"Failed":[\#(failed.joined(separator: ","))]}"#
        return Array(text.utf8)
    }
}
