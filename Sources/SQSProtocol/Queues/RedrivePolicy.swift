import Catalog

/// When a message goes to which dead-letter queue.
package struct RedrivePolicy: Sendable, Hashable {
    package static let receiveCounts = 1...1_000

    package let deadLetterQueue: QueueARN
    package let maxReceiveCount: Int

    package init(deadLetterQueue: QueueARN, maxReceiveCount: Int) {
        (self.deadLetterQueue, self.maxReceiveCount) = (deadLetterQueue, maxReceiveCount)
    }

    /// Reads `{"deadLetterTargetArn": "arn:…", "maxReceiveCount": 5 or "5"}`.
    package init(text: String) throws(SQSError) {
        guard let json = try? JSONParser.parse(text.utf8), case .object = json else {
            throw Self.fault(text, "Redrive policy is not a valid JSON map.")
        }
        guard let target = json["deadLetterTargetArn"] else {
            throw Self.fault(
                text,
                "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."
            )
        }
        guard let count = json["maxReceiveCount"] else {
            throw Self.fault(
                text,
                "Redrive policy does not contain mandatory attribute: maxReceiveCount."
            )
        }
        guard case .string(let name) = target, let queue = QueueARN(name) else {
            throw Self.fault(text, "Invalid value for deadLetterTargetArn.")
        }
        guard let count = Self.integer(count), Self.receiveCounts.contains(count) else {
            throw Self.fault(
                text,
                "Invalid value for maxReceiveCount, valid values are from 1 to 1000 both inclusive."
            )
        }
        self.init(deadLetterQueue: queue, maxReceiveCount: count)
    }

    /// As `GetQueueAttributes` tells it.
    package var text: String {
        #"{"deadLetterTargetArn":"\#(deadLetterQueue)","maxReceiveCount":\#(maxReceiveCount)}"#
    }

    private static func fault(_ text: String, _ reason: String) -> SQSError {
        .invalidParameterValue(.redrivePolicy, text, reason)
    }

    private static func integer(_ value: JSONValue) -> Int? {
        switch value {
        case .number(let text), .string(let text): Int(text)
        default: nil
        }
    }
}

/// Which queues may name this one as their dead-letter queue.
package enum RedriveAllowPolicy: Sendable, Hashable {
    case allowAll
    case denyAll
    case byQueue([QueueARN])

    private static let sourceLimit = 10

    /// Reads `{"redrivePermission": "allowAll" | "denyAll" | "byQueue", "sourceQueueArns": […]}`.
    package init(text: String) throws(SQSError) {
        guard let json = try? JSONParser.parse(text.utf8), case .object = json else {
            throw Self.fault(
                text,
                "Amazon SQS can't create the redrive allow policy, as it's in an unsupported format."
            )
        }
        switch (json["redrivePermission"], json["sourceQueueArns"]) {
        case (.string("allowAll"), nil): self = .allowAll
        case (.string("denyAll"), nil): self = .denyAll
        case (.string("byQueue"), .array(let items)?):
            let queues = items.compactMap { item in
                if case .string(let text) = item { QueueARN(text) } else { QueueARN?.none }
            }
            guard queues.count == items.count, (1...Self.sourceLimit).contains(queues.count) else {
                throw Self.fault(
                    text,
                    "sourceQueueArns must name 1 to \(Self.sourceLimit) queues of this account."
                )
            }
            self = .byQueue(queues)
        case (.string("byQueue"), _): throw Self.fault(text, "byQueue needs sourceQueueArns.")
        case (.string("allowAll"), _), (.string("denyAll"), _):
            throw Self.fault(text, "sourceQueueArns goes with byQueue only.")
        default:
            throw Self.fault(text, "redrivePermission must be one of allowAll, denyAll and byQueue.")
        }
    }

    package var text: String {
        switch self {
        case .allowAll: return #"{"redrivePermission":"allowAll"}"#
        case .denyAll: return #"{"redrivePermission":"denyAll"}"#
        case .byQueue(let queues):
            let names = queues.map { #""\#($0)""# }.joined(separator: ",")
            return #"{"redrivePermission":"byQueue","sourceQueueArns":[\#(names)]}"#
        }
    }

    private static func fault(_ text: String, _ reason: String) -> SQSError {
        .invalidParameterValue(.redriveAllowPolicy, text, reason)
    }
}

extension SQSError {
    fileprivate static func invalidParameterValue(
        _ name: QueueAttributeName,
        _ value: String,
        _ reason: String
    ) -> SQSError {
        .invalidParameterValue(
            "Value \(value) for parameter \(name.rawValue) is invalid. Reason: \(reason)"
        )
    }
}
