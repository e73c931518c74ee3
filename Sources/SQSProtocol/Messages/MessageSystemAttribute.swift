/// What a receiver can be told of a message beside its body.
package enum MessageSystemAttribute: String, Sendable, Hashable, CaseIterable {
    case senderID = "SenderId"
    case sentTimestamp = "SentTimestamp"
    case approximateReceiveCount = "ApproximateReceiveCount"
    case approximateFirstReceiveTimestamp = "ApproximateFirstReceiveTimestamp"
    case sequenceNumber = "SequenceNumber"
    case messageDeduplicationID = "MessageDeduplicationId"
    case messageGroupID = "MessageGroupId"
    case awsTraceHeader = "AWSTraceHeader"
    case deadLetterQueueSourceArn = "DeadLetterQueueSourceArn"

    /// Those that `AttributeNames` and `MessageSystemAttributeNames` together ask for.
    package struct Selection: Sendable, Hashable {
        private let names: Set<MessageSystemAttribute>

        package init(_ wanted: [String]) throws(SQSError) {
            var names: Set<MessageSystemAttribute> = []
            for text in wanted {
                if text == "All" {
                    names.formUnion(MessageSystemAttribute.allCases)
                } else if let name = MessageSystemAttribute(rawValue: text) {
                    names.insert(name)
                } else if QueueAttributeName(rawValue: text) == nil,
                    !QueueAttributeName.foreign.contains(text)
                {
                    // Both lists are of one kind once: the names of queues' attributes are let pass.
                    throw .invalidAttributeName(String(text.prefix(100)))
                }
            }
            self.names = names
        }

        package func takes(_ name: MessageSystemAttribute) -> Bool { names.contains(name) }
    }
}
