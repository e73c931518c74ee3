import Catalog
import SQSProtocol

/// What a SendMessageBatch says and what its answer means: pure.
enum SQSOutcomes {
    enum Answer: Sendable {
        case answer(status: Int, body: [UInt8])
        /// No answer came, for this reason.
        case none(String)
    }

    struct Judgement: Sendable, Hashable {
        let outcomes: [SendOutcome]
        /// The request as a whole was refused for what is in a message.
        var mustSplit = false
    }

    /// Whole requests are refused with these for what stands in a message. Other errors are about the queue, the key or
    /// the load, and no message's fault.
    private static let contentFaults: Set<String> = [
        "InvalidMessageContents", "BatchRequestTooLong", "MessageTooLong", "InvalidBatchEntryId",
    ]

    /// Entries fail with these though nothing is wrong with them, whatever `SenderFault` says.
    private static let passingFaults: Set<String> = [
        "InternalError", "InternalFailure", "ServiceUnavailable", "RequestThrottled", "ThrottlingException",
        "Throttling",
        "OverLimit", "KmsThrottled", "AccessDenied", "AccessDeniedException", "QueueDoesNotExist", "NonExistentQueue",
        "KmsAccessDenied", "KmsDisabled", "KmsNotFound", "KmsInvalidState", "KmsOptInRequired", "InvalidSecurity",
    ]

    static func requestBody(_ messages: [OutgoingEvent], _ configuration: SQSConfiguration) -> [UInt8] {
        var writer = JSONWriter(reserving: messages.reduce(512) { $0 + $1.body.count + $1.body.count / 4 + 256 })
        writer.beginObject()
        writer.member("QueueUrl", configuration.queueURL)
        writer.key("Entries")
        writer.beginArray()
        for (index, message) in messages.enumerated() {
            writer.beginObject()
            writer.member("Id", String(index))
            writer.member("MessageBody", String(decoding: message.body, as: UTF8.self))
            if configuration.isFIFO {
                writer.member("MessageGroupId", message.groupID)
                writer.member("MessageDeduplicationId", message.messageID)
            }
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    static func judge(_ answer: Answer, _ messages: [OutgoingEvent]) -> Judgement {
        switch answer {
        case .none(let reason): return all(messages, .unavailable(reason))
        case .answer(200, let body):
            guard let json = try? JSONParser.parse(body) else {
                return all(messages, .unavailable("the answer is no JSON"))
            }
            return Judgement(outcomes: entries(json, messages))
        case .answer(let status, let body):
            let (code, message) = error(body)
            guard let code else { return all(messages, .unavailable("HTTP status \(status)")) }
            guard contentFaults.contains(code) else {
                // What a refusal of a signature says may quote the request.
                let detail = status == 403 ? "" : ": \(message.prefix(200))"
                return all(messages, .unavailable("HTTP status \(status), \(code)\(detail)"))
            }
            var judgement = all(messages, .refused("\(code): \(message.prefix(200))"))
            judgement.mustSplit = true
            return judgement
        }
    }

    private static func all(_ messages: [OutgoingEvent], _ outcome: SendOutcome) -> Judgement {
        Judgement(outcomes: messages.map { _ in outcome })
    }

    private static func entries(_ json: JSONValue, _ messages: [OutgoingEvent]) -> [SendOutcome] {
        var outcomes = [SendOutcome](repeating: .retry("the answer does not name it"), count: messages.count)
        for entry in array(json["Successful"]) {
            guard let index = index(of: entry, messages) else { continue }
            let isIntact = text(entry["MD5OfMessageBody"]) == Digest.md5(messages[index].body)
            outcomes[index] = isIntact ? .accepted : .retry("the MD5 of what arrived differs")
        }
        for entry in array(json["Failed"]) {
            guard let index = index(of: entry, messages) else { continue }
            let code = name(text(entry["Code"]) ?? "unknown")
            let reason = "\(code): \((text(entry["Message"]) ?? "").prefix(200))"
            let isSenders = entry["SenderFault"] == .bool(true) && !passingFaults.contains(code)
            outcomes[index] = isSenders ? .refused(reason) : .retry(reason)
        }
        return outcomes
    }

    /// `com.amazonaws.sqs#QueueDoesNotExist` and its message.
    private static func error(_ body: [UInt8]) -> (code: String?, message: String) {
        guard let json = try? JSONParser.parse(body), let type = text(json["__type"]) else { return (nil, "") }
        return (name(type), text(json["message"]) ?? text(json["Message"]) ?? "")
    }

    /// Without the prefixes that codes come with.
    private static func name(_ code: String) -> String {
        let last = code.split(whereSeparator: { $0 == "#" || $0 == "." }).last
        return last.map { String($0) } ?? code
    }

    private static func index(of entry: JSONValue, _ messages: [OutgoingEvent]) -> Int? {
        guard let id = text(entry["Id"]).flatMap({ Int($0) }), messages.indices.contains(id) else { return nil }
        return id
    }

    private static func array(_ value: JSONValue?) -> [JSONValue] {
        guard case .array(let items)? = value else { return [] }
        return items
    }

    private static func text(_ value: JSONValue?) -> String? {
        guard case .string(let text)? = value else { return nil }
        return text
    }
}
