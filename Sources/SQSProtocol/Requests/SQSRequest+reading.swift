import Catalog

extension SQSRequest {
    /// Reads a request's body; an empty one has no members.
    package init(_ operation: SQSOperation, body: some Collection<UInt8>) throws(SQSError) {
        let document: JSONValue
        do throws(JSONError) {
            document = body.isEmpty ? .object([]) : try JSONParser.parse(body)
        } catch {
            throw .serialization("The body is no JSON: \(error.message).")
        }
        self = try SQSRequest.read(operation, try ObjectReader(document, named: "The body"))
    }

    private static func read(_ operation: SQSOperation, _ reader: ObjectReader) throws(SQSError)
        -> SQSRequest
    {
        switch operation {
        case .createQueue: return .createQueue(try Creation(reader))
        case .getQueueURL: return .getQueueURL(try QueueName(url: try reader.required("QueueName")))
        case .listQueues:
            return .listQueues(prefix: try reader.text("QueueNamePrefix") ?? "", try Page(reader))
        case .getQueueAttributes:
            let names = try QueueAttributeName.selection(try reader.texts("AttributeNames"))
            return .getQueueAttributes(try reader.queue(), names)
        case .setQueueAttributes:
            guard let attributes = try reader.map("Attributes") else {
                throw .missingParameter("Attributes")
            }
            return .setQueueAttributes(try reader.queue(), try QueueAttributes(changing: attributes))
        case .purgeQueue: return .purgeQueue(try reader.queue())
        case .deleteQueue: return .deleteQueue(try reader.queue())
        case .tagQueue: return .tagQueue(try reader.queue(), try tags(reader, "Tags", isRequired: true))
        case .untagQueue:
            let keys = try reader.texts("TagKeys")
            guard !keys.isEmpty else { throw .missingParameter("TagKeys") }
            return .untagQueue(try reader.queue(), keys)
        case .listQueueTags: return .listQueueTags(try reader.queue())
        case .listDeadLetterSourceQueues:
            return .listDeadLetterSourceQueues(try reader.queue(), try Page(reader))
        case .startMessageMoveTask: return .startMessageMoveTask(try Move(reader))
        case .listMessageMoveTasks:
            let limit = try reader.integer(
                "MaxResults",
                in: 1...10,
                "Must be between 1 and 10, if provided."
            )
            return .listMessageMoveTasks(try arn(reader, "SourceArn"), limit: limit ?? 1)
        case .cancelMessageMoveTask:
            return .cancelMessageMoveTask(handle: try reader.required("TaskHandle"))
        default: return try readMessages(operation, reader)
        }
    }

    private static func readMessages(_ operation: SQSOperation, _ reader: ObjectReader)
        throws(SQSError) -> SQSRequest
    {
        let queue = try reader.queue()
        switch operation {
        case .sendMessage:
            let message = try OutgoingMessage(reader)
            guard message.byteCount <= MessageText.limitBytes else {
                throw .messageTooLong(limit: MessageText.limitBytes)
            }
            return .sendMessage(queue, message)
        case .sendMessageBatch: return .sendMessageBatch(queue, try outgoing(reader))
        case .receiveMessage: return .receiveMessage(try Receive(reader, queue: queue))
        case .deleteMessage: return .deleteMessage(queue, handle: try reader.required("ReceiptHandle"))
        case .deleteMessageBatch:
            let entries = try BatchEntry.entries(reader, of: operation) { entry throws(SQSError) in
                try entry.required("ReceiptHandle")
            }
            return .deleteMessageBatch(queue, entries)
        case .changeMessageVisibility:
            return .changeMessageVisibility(queue, try VisibilityChange(reader))
        case .changeMessageVisibilityBatch:
            let entries = try BatchEntry.entries(reader, of: operation) { entry throws(SQSError) in
                try VisibilityChange(entry)
            }
            return .changeMessageVisibilityBatch(queue, entries)
        default: throw .unknownOperation(operation.target)
        }
    }

    private static func outgoing(_ reader: ObjectReader) throws(SQSError) -> [BatchEntry<
        OutgoingMessage
    >] {
        let entries = try BatchEntry.entries(reader, of: .sendMessageBatch) { entry throws(SQSError) in
            try OutgoingMessage(entry)
        }
        let count = entries.reduce(0) { count, entry in
            if case .success(let message) = entry.content { count + message.byteCount } else { count }
        }
        guard count <= MessageText.limitBytes else { throw .batchTooLong(count) }
        return entries
    }
}

// MARK: - Parts

extension SQSRequest {
    static let tagLimit = 50

    /// Keys of 1 to 128 characters with values of at most 256.
    fileprivate static func tags(
        _ reader: ObjectReader,
        _ name: String,
        isRequired: Bool = false
    ) throws(SQSError) -> [String: String] {
        guard let pairs = try reader.map(name), !pairs.isEmpty else {
            if isRequired { throw .missingParameter(name) }
            return [:]
        }
        guard pairs.count <= tagLimit else {
            throw .invalidParameterValue("Too many tags added: a queue may have \(tagLimit).")
        }
        var tags: [String: String] = [:]
        for pair in pairs {
            guard (1...128).contains(pair.name.unicodeScalars.count), MessageText.isAllowed(pair.name)
            else {
                throw .invalidParameterValue("Tag keys must be between 1 and 128 characters in length.")
            }
            guard pair.value.unicodeScalars.count <= 256, MessageText.isAllowed(pair.value) else {
                throw .invalidParameterValue("Tag values must be between 0 and 256 characters in length.")
            }
            tags[pair.name] = pair.value
        }
        return tags
    }

    fileprivate static func arn(_ reader: ObjectReader, _ name: String) throws(SQSError) -> QueueARN {
        guard let arn = QueueARN(try reader.required(name)) else { throw .resourceNotFound(name) }
        return arn
    }
}

extension SQSRequest.Creation {
    init(_ reader: ObjectReader) throws(SQSError) {
        let text = try reader.required("QueueName")
        let attributes = try reader.map("Attributes") ?? []
        guard let name = QueueName(text) else {
            throw .invalidQueueName(isFIFO: attributes.contains { $0 == ("FifoQueue", "true") })
        }
        self.init(
            name: name,
            attributes: try QueueAttributes(creating: name, attributes),
            tags: try SQSRequest.tags(reader, "tags")
        )
    }
}

extension SQSRequest.Page {
    init(_ reader: ObjectReader) throws(SQSError) {
        let rule = "Must be an integer value between 1 and 1000."
        limit = try reader.integer("MaxResults", in: 1...SQSRequest.pageLimit, rule)
        guard let token = try reader.text("NextToken"), !token.isEmpty else {
            after = nil
            return
        }
        guard let bytes = Base64URL.decode(token), let name = String(validating: bytes, as: UTF8.self),
            QueueName(name) != nil
        else {
            throw .invalidParameterValue(
                "NextToken",
                value: String(token.prefix(100)),
                "It is no token of ours."
            )
        }
        after = name
    }

    /// The token of the page after the one that ends with this name.
    package static func token(after name: String) -> String { Base64URL.encode(Array(name.utf8)) }
}

extension SQSRequest.Receive {
    init(_ reader: ObjectReader, queue: QueueName) throws(SQSError) {
        self.queue = queue
        let counts = 1...SQSRequest.batchLimit
        max =
            try reader.integer(
                "MaxNumberOfMessages",
                in: counts,
                "Must be between 1 and 10, if provided."
            ) ?? 1
        visibilityTimeout = try reader.integer(
            "VisibilityTimeout",
            in: QueueAttributes.visibilityTimeouts,
            "Must be between 0 and 43200, if provided."
        ).map { .seconds($0) }
        wait = try reader.integer(
            "WaitTimeSeconds",
            in: QueueAttributes.waits,
            "Must be >= 0 and <= 20, if provided."
        ).map { .seconds($0) }
        systemAttributes = try MessageSystemAttribute.Selection(
            try reader.texts("AttributeNames") + (try reader.texts("MessageSystemAttributeNames"))
        )
        messageAttributes = MessageAttributes.Selection(try reader.texts("MessageAttributeNames"))
        attempt = try reader.text("ReceiveRequestAttemptId")
        if let attempt, !MessageText.isIdentifier(attempt) {
            throw .invalidParameterValue(
                "ReceiveRequestAttemptId",
                value: String(attempt.prefix(128)),
                "ReceiveRequestAttemptId can only include alphanumeric and punctuation characters. 1 to 128 in length."
            )
        }
    }
}

extension SQSRequest.VisibilityChange {
    init(_ reader: ObjectReader) throws(SQSError) {
        handle = try reader.required("ReceiptHandle")
        guard
            let seconds = try reader.integer(
                "VisibilityTimeout",
                in: QueueAttributes.visibilityTimeouts,
                "VisibilityTimeout must be an integer between 0 and 43200."
            )
        else { throw .missingParameter("VisibilityTimeout") }
        timeout = .seconds(seconds)
    }
}

extension SQSRequest.Move {
    static let rates = 1...500

    init(_ reader: ObjectReader) throws(SQSError) {
        source = try SQSRequest.arn(reader, "SourceArn")
        destination =
            reader["DestinationArn"] == nil ? nil : try SQSRequest.arn(reader, "DestinationArn")
        perSecond = try reader.integer(
            "MaxNumberOfMessagesPerSecond",
            in: Self.rates,
            "Must be between 1 and 500, if provided."
        )
    }
}
