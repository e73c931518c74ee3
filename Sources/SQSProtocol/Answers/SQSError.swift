import Catalog

/// An error answer of SQS. Clients tell errors by `code`; the real service's wording is kept where it is known.
package struct SQSError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The name of the error's shape: `__type` is `com.amazonaws.sqs#` and this.
    package let shape: String
    /// What the query protocol called it, and what SDKs still show: the header `x-amzn-query-error`.
    package let code: String
    package let status: Int
    /// Safe to show.
    package let message: String
    /// Whether the request is at fault, so that sending it again is of no use.
    package let isSenderFault: Bool

    private init(
        _ shape: String,
        code: String? = nil,
        status: Int = 400,
        isSenderFault: Bool = true,
        _ message: String
    ) {
        self.shape = shape
        self.code = code ?? shape
        self.status = status
        self.isSenderFault = isSenderFault
        self.message = message
    }

    package var description: String { "\(code): \(message)" }

    /// The value of `x-amzn-query-error`.
    package var queryError: String { "\(code);\(isSenderFault ? "Sender" : "Receiver")" }

    /// The body.
    package var json: [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("__type", "com.amazonaws.sqs#\(shape)")
        writer.member("message", message)
        writer.endObject()
        return writer.bytes
    }
}

// MARK: - The catalogue

extension SQSError {
    package static let queueDoesNotExist = SQSError(
        "QueueDoesNotExist",
        code: "AWS.SimpleQueueService.NonExistentQueue",
        "The specified queue does not exist."
    )

    package static func invalidParameterValue(_ message: String) -> SQSError {
        SQSError("InvalidParameterValueException", code: "InvalidParameterValue", message)
    }

    /// - Parameter reason: a sentence.
    package static func invalidParameterValue(_ name: String, value: String, _ reason: String)
        -> SQSError
    {
        .invalidParameterValue("Value \(value) for parameter \(name) is invalid. Reason: \(reason)")
    }

    package static func missingParameter(_ name: String) -> SQSError {
        SQSError(
            "MissingRequiredParameterException",
            code: "MissingParameter",
            "The request must contain the parameter \(name)."
        )
    }

    /// A handle that was never given out.
    package static func invalidReceiptHandle(_ handle: String) -> SQSError {
        SQSError(
            "ReceiptHandleIsInvalid",
            "The input receipt handle \"\(handle)\" is not a valid receipt handle."
        )
    }

    package static func expiredReceiptHandle(_ handle: String) -> SQSError {
        .invalidParameterValue("ReceiptHandle", value: handle, "The receipt handle has expired.")
    }

    /// A change of the visibility of a message that is not in flight.
    package static func notInFlight(_ handle: String) -> SQSError {
        .invalidParameterValue(
            "ReceiptHandle",
            value: handle,
            "Message does not exist or is not available for visibility timeout change."
        )
    }

    package static let invalidMessageContents = SQSError(
        "InvalidMessageContents",
        "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | "
            + "#x10000 to #x10FFFF."
    )

    package static func messageTooLong(limit: Int) -> SQSError {
        .invalidParameterValue(
            "One or more parameters are invalid. Reason: Message must be shorter than \(limit) bytes."
        )
    }

    package static let missingDeduplicationID = SQSError.invalidParameterValue(
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly"
    )

    /// A parameter that this kind of queue does not have.
    package static func notForQueueType(_ name: String, value: String) -> SQSError {
        .invalidParameterValue(
            name,
            value: value,
            "The request include parameter that is not valid for this queue type."
        )
    }

    package static let messageNotInFlight = SQSError(
        "MessageNotInflight",
        code: "AWS.SimpleQueueService.MessageNotInflight",
        "The specified message isn't in flight."
    )

    package static let notADeadLetterQueue = SQSError.invalidParameterValue(
        "Source queue must be configured as a Dead Letter Queue."
    )
}

// MARK: - Batches

extension SQSError {
    private static func batch(_ name: String, _ message: String) -> SQSError {
        SQSError(name, code: "AWS.SimpleQueueService.\(name)", message)
    }

    package static func tooManyEntries(_ count: Int) -> SQSError {
        batch(
            "TooManyEntriesInBatchRequest",
            "Maximum number of entries per request are \(SQSRequest.batchLimit). You have sent \(count)."
        )
    }

    package static func emptyBatch(_ operation: SQSOperation) -> SQSError {
        batch(
            "EmptyBatchRequest",
            "There should be at least one \(operation.rawValue)RequestEntry in the request."
        )
    }

    package static func idsNotDistinct(_ id: String) -> SQSError {
        batch("BatchEntryIdsNotDistinct", "Id \(id) repeated.")
    }

    package static func batchTooLong(_ count: Int) -> SQSError {
        batch(
            "BatchRequestTooLong",
            "Batch requests cannot be longer than \(MessageText.limitBytes) bytes. You have sent \(count) bytes."
        )
    }

    package static let invalidBatchEntryID = batch(
        "InvalidBatchEntryId",
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 "
            + "letters long."
    )
}

// MARK: - Queues

extension SQSError {
    package static func purgeInProgress(_ queue: QueueName) -> SQSError {
        SQSError(
            "PurgeQueueInProgress",
            code: "AWS.SimpleQueueService.PurgeQueueInProgress",
            status: 403,
            "Only one PurgeQueue operation on \(queue) is allowed every 60 seconds."
        )
    }

    /// - Parameter attribute: one that differs, if one is known.
    package static func queueNameExists(differingIn attribute: QueueAttributeName? = nil) -> SQSError {
        let what = attribute.map { "attribute \($0.rawValue)" } ?? "some attribute"
        return SQSError(
            "QueueNameExists",
            code: "QueueAlreadyExists",
            "A queue already exists with the same name and a different value for \(what)"
        )
    }

    static func invalidQueueName(isFIFO: Bool) -> SQSError {
        .invalidParameterValue(
            isFIFO
                ? "The name of a FIFO queue can only include alphanumeric characters, hyphens, or underscores, must "
                    + "end with .fifo suffix and be 1 to 80 in length"
                : "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length"
        )
    }

    package static func invalidAttributeName(_ name: String, _ reason: String? = nil) -> SQSError {
        SQSError("InvalidAttributeName", "Unknown Attribute \(name).\(reason.map { " \($0)" } ?? "")")
    }

    package static func invalidAttributeValue(_ name: QueueAttributeName, _ reason: String? = nil)
        -> SQSError
    {
        SQSError(
            "InvalidAttributeValue",
            "Invalid value for the parameter \(name.rawValue).\(reason.map { " Reason: \($0)" } ?? "")"
        )
    }

    static func fifoOnly(_ name: QueueAttributeName) -> SQSError {
        SQSError(
            "InvalidAttributeName",
            "You can specify the \(name.rawValue) only when FifoQueue is set to true."
        )
    }

    /// More of something than there may be.
    package static func overLimit(_ message: String) -> SQSError {
        SQSError("OverLimit", status: 403, message)
    }

    /// - Parameter what: `SourceArn` or `DestinationArn`.
    package static func resourceNotFound(_ what: String) -> SQSError {
        SQSError(
            "ResourceNotFoundException",
            status: 404,
            "The resource that you specified for the \(what) parameter doesn't exist."
        )
    }

    package static let taskDoesNotExist = SQSError(
        "ResourceNotFoundException",
        status: 404,
        "Task does not exist."
    )

    package static let taskNotRunning = SQSError.invalidParameterValue("Only active tasks can be cancelled.")

    package static let invalidTaskHandle = SQSError.invalidParameterValue(
        "Value for parameter TaskHandle is invalid."
    )

    package static let taskRunning = SQSError.invalidParameterValue(
        "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
    )

    package static func unsupportedOperation(_ message: String) -> SQSError {
        SQSError("UnsupportedOperation", code: "AWS.SimpleQueueService.UnsupportedOperation", message)
    }
}

// MARK: - Who asks, and how

extension SQSError {
    package static func accessDenied(_ message: String) -> SQSError {
        SQSError("AccessDenied", status: 403, message)
    }

    package static func throttled(_ message: String) -> SQSError {
        SQSError("RequestThrottled", status: 403, message)
    }

    package init(_ fault: SignatureFault) {
        switch fault {
        case .missing:
            self.init(
                "MissingAuthenticationToken",
                status: 403,
                "Request is missing Authentication Token"
            )
        case .incomplete(let message): self.init("IncompleteSignature", message)
        case .expired(let signedAt, let now):
            let limit = now.advanced(byMicroseconds: -900_000_000).amazonDate
            self.init(
                "SignatureDoesNotMatch",
                status: 403,
                "Signature expired: \(signedAt.amazonDate) is now earlier than \(limit) (\(now.amazonDate) - 15 min.)"
            )
        case .notYetCurrent(let signedAt, let now):
            let limit = now.advanced(byMicroseconds: 900_000_000).amazonDate
            self.init(
                "SignatureDoesNotMatch",
                status: 403,
                "Signature not yet current: \(signedAt.amazonDate) is still later than \(limit) "
                    + "(\(now.amazonDate) + 15 min.)"
            )
        case .wrongScope(let message): self.init("SignatureDoesNotMatch", status: 403, message)
        case .unsigned(let name):
            self.init(
                "SignatureDoesNotMatch",
                status: 403,
                "'\(name)' must be a 'SignedHeader' in the AWS Authorization."
            )
        case .absent(let name):
            self.init(
                "SignatureDoesNotMatch",
                status: 403,
                "The signed header '\(name)' is not in the request."
            )
        case .unknownKey:
            self.init(
                "InvalidClientTokenId",
                status: 403,
                "The security token included in the request is invalid."
            )
        case .mismatch:
            self.init(
                "SignatureDoesNotMatch",
                status: 403,
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                    + "Access Key and signing method. Consult the service documentation for details."
            )
        }
    }

    /// A body that is no JSON, or whose values have other types than the operation's.
    package static func serialization(_ message: String) -> SQSError {
        SQSError("SerializationException", message)
    }

    static func wrongType(_ name: String, _ value: JSONValue) -> SQSError {
        .serialization("\(name) cannot be \(value.kind).")
    }

    package static func unknownOperation(_ target: String?) -> SQSError {
        SQSError(
            "UnknownOperationException",
            code: "InvalidAction",
            target.map { "The action \($0.prefix(100)) is not valid for this endpoint." }
                ?? "X-Amz-Target must name an operation, such as AmazonSQS.ReceiveMessage."
        )
    }

    /// The form-encoded protocol of old clients.
    package static let queryProtocol = SQSError(
        "UnsupportedOperation",
        code: "AWS.SimpleQueueService.UnsupportedOperation",
        "The AWS query protocol (form-encoded posts) is not spoken here. Use an SDK that speaks AWS JSON 1.0 to SQS: "
            + "those since November 2023 do."
    )

    package static func requestTooLong(_ message: String) -> SQSError {
        SQSError("RequestEntityTooLarge", status: 413, message)
    }

    /// A server that has nothing to verify signatures with.
    package static let noSecret = unsupportedOperation(
        "This server verifies no AWS signatures: with a database URL it needs RASTRO_SECRET_FILE."
    )

    /// Nothing was done; another try makes sense.
    package static func unavailable(_ message: String) -> SQSError {
        SQSError("ServiceUnavailable", status: 503, isSenderFault: false, message)
    }

    package static let internalFailure = SQSError(
        "InternalFailure",
        code: "InternalError",
        status: 500,
        isSenderFault: false,
        "The server failed; its log has the detail."
    )
}
