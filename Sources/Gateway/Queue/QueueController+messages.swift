import Catalog
import Delivery
import EventLog
import Hummingbird
import SQSProtocol
import ServiceLifecycle

/// Sending, receiving, deleting.
extension QueueController {
    /// A long poll waits in stretches of this, so that a server that is told to stop need not wait it out, and a key that
    /// was revoked is found out.
    private static let waitAtOnce: Duration = .seconds(2)

    func send(_ message: OutgoingMessage, to name: QueueName, _ call: QueueCall) async throws -> Response {
        let queue = try await sendable(name)
        let sending = try NewMessage(message, to: queue, sender: call.key.number)
        return try await atOwner(of: queue, call) { endpoint in
            guard let sent = try await endpoint.send([sending]).first else { throw SQSError.internalFailure }
            return .sent(SQSAnswer.Sent(message, sent, queue))
        }
    }

    func send(
        _ entries: [BatchEntry<OutgoingMessage>],
        to name: QueueName,
        _ call: QueueCall
    ) async throws -> Response {
        let queue = try await sendable(name)
        var sending: [NewMessage] = []
        var checked: [BatchEntry<OutgoingMessage>] = []
        for entry in entries {
            do throws(SQSError) {
                sending.append(try NewMessage(try entry.content.get(), to: queue, sender: call.key.number))
                checked.append(entry)
            } catch {
                // A FIFO queue's batch without groups or deduplication ids is refused whole.
                guard error != .missingParameter("MessageGroupId"), error != .missingDeduplicationID else {
                    throw error
                }
                checked.append(BatchEntry(id: entry.id, content: .failure(error)))
            }
        }
        guard !sending.isEmpty else {
            return call.response(.sentBatch(checked.mapContents { _ in .failure(.internalFailure) }))
        }
        return try await atOwner(of: queue, call) { [sending, checked] endpoint in
            var sent = try await endpoint.send(sending)[...]
            return .sentBatch(
                checked.mapContents { message in
                    guard let sent = sent.popFirst() else { return .failure(.internalFailure) }
                    return .success(SQSAnswer.Sent(message, sent, queue))
                }
            )
        }
    }

    private func sendable(_ name: QueueName) async throws -> QueueDescription {
        let queue = try await find(name)
        guard queue.settings.events == nil, !queue.isBuiltIn else {
            throw SQSError.accessDenied("Only the log's events come to this queue.")
        }
        return queue
    }

    func receive(
        _ receive: SQSRequest.Receive,
        _ call: QueueCall,
        place: inout QueuePlace
    ) async throws -> Response {
        let queue = try await receivable(receive.queue)
        let wait = call.wait(receive.wait ?? queue.settings.receiveWait)
        guard wait == .zero || place.becomePoll() else {
            throw SQSError.unavailable("Too many receives wait for messages.")
        }
        let deadline = ContinuousClock.now + wait
        return try await atOwner(of: queue, call, wait: wait) { endpoint in
            if wait > .zero { call.body.dropIfLong() }
            do {
                var messages: [ReceivedMessage]
                repeat {
                    messages = try await endpoint.receive(
                        max: receive.max,
                        visibilityTimeout: receive.visibilityTimeout,
                        wait: min(Self.waitAtOnce, max(.zero, deadline - .now)),
                        attempt: queue.settings.isFIFO ? receive.attempt : nil
                    )
                    try await confirm(call.key, to: messages, of: endpoint)
                } while messages.isEmpty && ContinuousClock.now < deadline && !Task.isShuttingDownGracefully
                return .received(messages.map { SQSAnswer.Received($0, receive, queue, call) })
            } catch QueueError.inFlightLimit where queue.settings.isFIFO {
                // So the real service has it: a FIFO queue says nothing of it.
                return .received([])
            }
        }
    }

    /// Messages are handed out only to a key that is still good; else they are visible again at once.
    private func confirm(_ key: APIKey, to messages: [ReceivedMessage], of endpoint: QueueEndpoint) async throws {
        guard try await !authenticator.isGood(key) else { return }
        if !messages.isEmpty {
            _ = try await endpoint.changeVisibility(messages.map { (handle: $0.receiptHandle, timeout: .zero) })
        }
        throw SignatureFault.unknownKey
    }

    func delete(_ handle: String, from name: QueueName, _ call: QueueCall) async throws -> Response {
        let queue = try await receivable(name)
        return try await atOwner(of: queue, call) { endpoint in
            let outcome = try await endpoint.delete([handle]).first ?? nil
            try QueueHandles.judgeDelete(outcome, handle, queue).get()
            return .done
        }
    }

    func delete(_ entries: [BatchEntry<String>], from name: QueueName, _ call: QueueCall) async throws -> Response {
        let queue = try await receivable(name)
        return try await atOwner(of: queue, call) { endpoint in
            var outcomes = try await endpoint.delete(entries.contents())[...]
            return .doneBatch(
                entries.mapContents { QueueHandles.judgeDelete(outcomes.popFirst() ?? nil, $0, queue) }
            )
        }
    }

    func changeVisibility(
        _ change: SQSRequest.VisibilityChange,
        of name: QueueName,
        _ call: QueueCall
    ) async throws -> Response {
        let queue = try await receivable(name)
        return try await atOwner(of: queue, call) { endpoint in
            let outcome = try await endpoint.changeVisibility([(change.handle, change.timeout)]).first ?? nil
            try QueueHandles.judgeChange(outcome, change.handle, queue).get()
            return .done
        }
    }

    func changeVisibility(
        _ entries: [BatchEntry<SQSRequest.VisibilityChange>],
        of name: QueueName,
        _ call: QueueCall
    ) async throws -> Response {
        let queue = try await receivable(name)
        return try await atOwner(of: queue, call) { endpoint in
            let changes = entries.contents().map { (handle: $0.handle, timeout: $0.timeout) }
            var outcomes = try await endpoint.changeVisibility(changes)[...]
            return .doneBatch(
                entries.mapContents { QueueHandles.judgeChange(outcomes.popFirst() ?? nil, $0.handle, queue) }
            )
        }
    }

    private func receivable(_ name: QueueName) async throws -> QueueDescription {
        let queue = try await find(name)
        guard queue.id != QueueReference.productActivity.id else {
            throw SQSError.accessDenied("Only the built-in consumer receives from this queue.")
        }
        return queue
    }
}

extension NewMessage {
    fileprivate init(_ message: OutgoingMessage, to queue: QueueDescription, sender: Int32) throws(SQSError) {
        let settings = queue.settings
        let deduplicationID = try message.deduplicationID(
            isFIFO: settings.isFIFO,
            hasContentBasedDeduplication: settings.hasContentBasedDeduplication,
            limitBytes: settings.maximumMessageBytes
        )
        self.init(
            body: message.body,
            attributes: message.attributes.isEmpty ? nil : message.attributes.encoded,
            groupID: settings.isFIFO ? message.groupID : nil,
            deduplicationID: deduplicationID,
            delay: settings.isFIFO ? nil : message.delay,
            sender: sender
        )
    }
}

extension SQSAnswer.Sent {
    fileprivate init(_ message: OutgoingMessage, _ sent: SentMessage, _ queue: QueueDescription) {
        self.init(
            message,
            messageID: sent.messageID,
            sequenceNumber: queue.settings.isFIFO ? sent.sequenceNumber : nil
        )
    }
}

extension SQSAnswer.Received {
    fileprivate init(
        _ message: ReceivedMessage,
        _ receive: SQSRequest.Receive,
        _ queue: QueueDescription,
        _ call: QueueCall
    ) {
        let isFIFO = queue.settings.isFIFO
        let source = message.deadLetterSource.flatMap(call.arn)
        let values: [(MessageSystemAttribute, String?)] = [
            (.senderID, message.senderKeyID),
            (.sentTimestamp, String(message.sentAt.microseconds / 1_000)),
            (.approximateReceiveCount, String(message.receiveCount)),
            (.approximateFirstReceiveTimestamp, String(message.firstReceivedAt.microseconds / 1_000)),
            (.sequenceNumber, isFIFO ? message.sequenceNumber : nil),
            (.messageDeduplicationID, isFIFO ? message.deduplicationID : nil),
            (.messageGroupID, isFIFO ? message.groupID : nil),
            (.awsTraceHeader, message.traceparent.flatMap(Self.traceHeader)),
            (.deadLetterQueueSourceArn, source?.description),
        ]
        self.init(
            messageID: message.messageID,
            receiptHandle: message.receiptHandle,
            body: message.body,
            systemAttributes: values.compactMap { name, value in
                value.flatMap { receive.systemAttributes.takes(name) ? (name, $0) : nil }
            },
            attributes: message.attributes.flatMap(MessageAttributes.init(encoded:))?
                .selected(by: receive.messageAttributes) ?? MessageAttributes()
        )
    }

    /// A W3C trace context in AWS X-Ray's form.
    private static func traceHeader(_ traceparent: String) -> String? {
        let parts = traceparent.split(separator: "-")
        guard parts.count == 4, parts[1].utf8.count == 32 else { return nil }
        let isSampled = parts[3].last.flatMap(\.hexDigitValue).map { $0 & 1 } ?? 0
        return "Root=1-\(parts[1].prefix(8))-\(parts[1].dropFirst(8));Parent=\(parts[2]);Sampled=\(isSampled)"
    }
}

extension Sequence {
    /// What the good entries of a batch hold.
    fileprivate func contents<Content>() -> [Content] where Element == BatchEntry<Content> {
        compactMap { try? $0.content.get() }
    }

    /// The batch's answer: what became of each good entry, in order; the others stay refused.
    fileprivate func mapContents<Content, Answer>(
        _ body: (Content) -> Result<Answer, SQSError>
    ) -> [BatchEntry<Answer>] where Element == BatchEntry<Content> {
        map { BatchEntry(id: $0.id, content: $0.content.flatMap(body)) }
    }
}
