import Catalog

extension SQSAnswer {
    /// The body.
    package var json: [UInt8] {
        var writer = JSONWriter(reserving: 512)
        writer.beginObject()
        write(to: &writer)
        writer.endObject()
        return writer.bytes
    }

    private func write(to writer: inout JSONWriter) {
        switch self {
        case .done: break
        case .queueURL(let url): writer.member("QueueUrl", url)
        case .queueURLs(let urls, let next):
            if !urls.isEmpty { writer.member("QueueUrls", .array(urls.map(JSONValue.string))) }
            if let next { writer.member("NextToken", next) }
        case .deadLetterSources(let urls, let next):
            writer.member("queueUrls", .array(urls.map(JSONValue.string)))
            if let next { writer.member("NextToken", next) }
        case .attributes(let pairs):
            guard !pairs.isEmpty else { return }
            writer.key("Attributes")
            Self.write(pairs, to: &writer)
        case .sent(let sent): sent.write(to: &writer)
        case .sentBatch(let entries):
            Self.write(entries, to: &writer) { sent, writer in sent.write(to: &writer) }
        case .received(let messages):
            guard !messages.isEmpty else { return }
            writer.key("Messages")
            writer.beginArray()
            for message in messages { message.write(to: &writer) }
            writer.endArray()
        case .doneBatch(let entries): Self.write(entries, to: &writer) { _, _ in }
        case .tags(let tags):
            guard !tags.isEmpty else { return }
            writer.key("Tags")
            Self.write(
                tags.map { (name: $0.key, value: $0.value) }.sorted { $0.name < $1.name },
                to: &writer
            )
        case .moveStarted(let handle): writer.member("TaskHandle", handle)
        case .moves(let moves):
            writer.key("Results")
            writer.beginArray()
            for move in moves { move.write(to: &writer) }
            writer.endArray()
        case .moveCancelled(let moved): writer.member("ApproximateNumberOfMessagesMoved", moved)
        }
    }

    private static func write(_ pairs: [(name: String, value: String)], to writer: inout JSONWriter) {
        writer.beginObject()
        for pair in pairs {
            writer.key(named: pair.name)
            writer.string(pair.value)
        }
        writer.endObject()
    }

    /// `Successful` always, `Failed` only when something failed.
    private static func write<Content>(
        _ entries: [BatchEntry<Content>],
        to writer: inout JSONWriter,
        _ content: (Content, inout JSONWriter) -> Void
    ) {
        writer.key("Successful")
        writer.beginArray()
        var failures: [(id: String, error: SQSError)] = []
        for entry in entries {
            switch entry.content {
            case .success(let value):
                writer.beginObject()
                writer.member("Id", entry.id)
                content(value, &writer)
                writer.endObject()
            case .failure(let error): failures.append((entry.id, error))
            }
        }
        writer.endArray()
        guard !failures.isEmpty else { return }
        writer.key("Failed")
        writer.beginArray()
        for failure in failures {
            writer.beginObject()
            writer.member("Id", failure.id)
            writer.member("SenderFault", failure.error.isSenderFault)
            writer.member("Code", failure.error.code)
            writer.member("Message", failure.error.message)
            writer.endObject()
        }
        writer.endArray()
    }
}

extension SQSAnswer.Sent {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.member("MessageId", messageID)
        writer.member("MD5OfMessageBody", bodyMD5)
        if let attributesMD5 { writer.member("MD5OfMessageAttributes", attributesMD5) }
        if let sequenceNumber { writer.member("SequenceNumber", sequenceNumber) }
    }
}

extension SQSAnswer.Received {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("MessageId", messageID)
        writer.member("ReceiptHandle", receiptHandle)
        writer.member("MD5OfBody", Digest.md5(body.utf8))
        writer.member("Body", body)
        if !systemAttributes.isEmpty {
            writer.key("Attributes")
            writer.beginObject()
            for attribute in systemAttributes {
                writer.key(named: attribute.name.rawValue)
                writer.string(attribute.value)
            }
            writer.endObject()
        }
        // SDKs stumble over an empty one.
        if let md5 = attributes.md5 {
            writer.member("MD5OfMessageAttributes", md5)
            writer.key("MessageAttributes")
            attributes.write(to: &writer)
        }
        writer.endObject()
    }
}

extension SQSAnswer.Move {
    fileprivate func write(to writer: inout JSONWriter) {
        writer.beginObject()
        if status == .running, let handle { writer.member("TaskHandle", handle) }
        writer.member("Status", status.rawValue)
        writer.member("SourceArn", source.description)
        if let destination { writer.member("DestinationArn", destination.description) }
        if let perSecond { writer.member("MaxNumberOfMessagesPerSecond", perSecond) }
        writer.member("ApproximateNumberOfMessagesMoved", moved)
        if let toMove { writer.member("ApproximateNumberOfMessagesToMove", toMove) }
        if let failure { writer.member("FailureReason", failure) }
        writer.member("StartedTimestamp", startedAt.microseconds / 1_000)
        writer.endObject()
    }
}
