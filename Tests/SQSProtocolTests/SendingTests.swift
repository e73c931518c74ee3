import Catalog
import SQSProtocol
import Testing

@Suite("Sending and batches")
struct SendingTests {
    private static func message(_ members: String) throws(SQSError) -> OutgoingMessage {
        guard
            case .sendMessage(_, let message) = try SQSRequest(
                .sendMessage,
                body: Array(#"{"QueueUrl": "q", \#(members)}"#.utf8)
            )
        else { throw .internalFailure }
        return message
    }

    private static func error<Value>(_ body: () throws(SQSError) -> Value) -> SQSError? {
        do throws(SQSError) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test("a FIFO queue wants a group and a deduplication id, or makes one of the body")
    func fifo() throws {
        func id(_ members: String, contentBased: Bool = false) throws(SQSError) -> String? {
            try Self.message(#""MessageBody": "foo", \#(members)"#)
                .deduplicationID(
                    isFIFO: true,
                    hasContentBasedDeduplication: contentBased,
                    limitBytes: 1_024
                )
        }
        #expect(try id(#""MessageGroupId": "g", "MessageDeduplicationId": "d""#) == "d")
        #expect(
            try id(#""MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 0"#) == "d"
        )
        #expect(
            try id(#""MessageGroupId": "g""#, contentBased: true)
                == "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
        )
        #expect(
            Self.error { () throws(SQSError) in try id(#""X": 1"#) }
                == .missingParameter("MessageGroupId")
        )
        #expect(
            Self.error { () throws(SQSError) in try id(#""MessageGroupId": "g""#) }
                == .missingDeduplicationID
        )
        let delayed = Self.error { () throws(SQSError) in
            try id(#""MessageGroupId": "g", "MessageDeduplicationId": "d", "DelaySeconds": 2"#)
        }
        #expect(
            delayed?.message
                == "Value 2 for parameter DelaySeconds is invalid. Reason: The request include parameter that is not valid "
                + "for this queue type."
        )
    }

    @Test("a standard queue takes a delay, a group, no deduplication id")
    func standard() throws {
        let delayed = try Self.message(
            #""MessageBody": "foo", "DelaySeconds": 900, "MessageGroupId": "g""#
        )
        #expect(delayed.delay == .seconds(900))
        #expect(
            try delayed.deduplicationID(
                isFIFO: false,
                hasContentBasedDeduplication: false,
                limitBytes: 1_024
            ) == nil
        )
        let marked = try Self.message(#""MessageBody": "foo", "MessageDeduplicationId": "d""#)
        let error = Self.error { () throws(SQSError) in
            try marked.deduplicationID(
                isFIFO: false,
                hasContentBasedDeduplication: false,
                limitBytes: 1_024
            )
        }
        #expect(error?.code == "InvalidParameterValue")
        #expect(
            Self.error { () throws(SQSError) in
                try Self.message(#""MessageBody": "foo", "DelaySeconds": 901"#)
            }?.message
                == "Value 901 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900."
        )
    }

    @Test("identifiers are 1 to 128 visible characters of ASCII")
    func identifiers() {
        func isAllowed(_ id: String) -> Bool {
            (try? Self.message(#""MessageBody": "foo", "MessageGroupId": "\#(id)""#)) != nil
        }
        for id in ["a", "~!#$%&'()*+,-./:;<=>?@[]^_`{|}", String(repeating: "x", count: 128)] {
            #expect(isAllowed(id))
        }
        for id in ["", " ", "a b", "é", String(repeating: "x", count: 129)] {
            #expect(!isAllowed(id), "\(id)")
        }
    }

    @Test("bodies hold XML's characters and no others")
    func characters() {
        for body in ["\\t\\n\\r", "\\ud83d\\ude00", "\\ufffd", "\\ue000", "\u{7f}"] {
            #expect(
                Self.error { () throws(SQSError) in try Self.message(#""MessageBody": "\#(body)""#) } == nil
            )
        }
        for body in ["\\u0000", "a\\u000b", "\\ufffe", "x\\uffff"] {
            let error = Self.error { () throws(SQSError) in
                try Self.message(#""MessageBody": "\#(body)""#)
            }
            #expect(error == .invalidMessageContents, "\(body)")
        }
    }

    @Test("a message may have 1 MiB, attributes counted, and what its queue allows")
    func sizes() throws {
        let limit = MessageText.limitBytes
        let attribute = #""MessageAttributes": {"a": {"DataType": "String", "StringValue": "xyz"}}"#
        func sized(_ count: Int) -> String {
            #""MessageBody": "\#(String(repeating: "x", count: count))", \#(attribute)"#
        }
        let full = try Self.message(sized(limit - 10))
        #expect(full.byteCount == limit)
        let tooLong = Self.error { () throws(SQSError) in try Self.message(sized(limit - 9)) }
        #expect(
            tooLong?.message
                == "One or more parameters are invalid. Reason: Message must be shorter than 1048576 bytes."
        )
        let small = Self.error { () throws(SQSError) in
            try full.deduplicationID(
                isFIFO: false,
                hasContentBasedDeduplication: false,
                limitBytes: 1_024
            )
        }
        #expect(small == .messageTooLong(limit: 1_024))
    }

    private static func batch(_ entries: String) throws(SQSError) -> [BatchEntry<OutgoingMessage>] {
        guard
            case .sendMessageBatch(_, let entries) = try SQSRequest(
                .sendMessageBatch,
                body: Array(#"{"QueueUrl": "q", "Entries": [\#(entries)]}"#.utf8)
            )
        else { throw .internalFailure }
        return entries
    }

    @Test("a batch that is void is refused whole, in the real service's words")
    func voidBatches() {
        func error(_ entries: String) -> SQSError? {
            Self.error { () throws(SQSError) in try Self.batch(entries) }
        }
        func many(_ count: Int, _ id: (Int) -> String) -> String {
            (0..<count).map { #"{"Id": "\#(id($0))", "MessageBody": "x"}"# }.joined(separator: ",")
        }
        #expect(error(many(10) { "\($0)" }) == nil)
        let tooMany = error(many(20) { "\($0)" })
        #expect(tooMany?.code == "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
        #expect(tooMany?.message == "Maximum number of entries per request are 10. You have sent 20.")
        #expect(
            error("")?.message
                == "There should be at least one SendMessageBatchRequestEntry in the request."
        )
        #expect(error("")?.code == "AWS.SimpleQueueService.EmptyBatchRequest")
        #expect(error(many(3) { "\($0 % 2)" })?.message == "Id 0 repeated.")
        for id in ["", "a:b", "a b", String(repeating: "x", count: 81)] {
            #expect(error(many(1) { _ in id }) == .invalidBatchEntryID, "\(id)")
        }
        #expect(error(#"{"MessageBody": "x"}"#) == .missingParameter("Id"))
        let half = String(repeating: "x", count: MessageText.limitBytes / 2)
        let long = error(
            #"{"Id": "a", "MessageBody": "\#(half)"}, {"Id": "b", "MessageBody": "\#(half)x"}"#
        )
        #expect(long?.shape == "BatchRequestTooLong")
        #expect(
            long?.message
                == "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes."
        )
        #expect(error(#"{"Id": "a", "MessageBody": 5}"#)?.shape == "SerializationException")
    }

    @Test("an entry that is wrong fails alone")
    func entries() throws {
        let entries = try Self.batch(
            #"{"Id": "a", "MessageBody": "x"}, {"Id": "b", "MessageBody": "x", "DelaySeconds": 1800}, {"Id": "c"}"#
        )
        #expect(entries.map(\.id) == ["a", "b", "c"])
        #expect((try? entries[0].content.get())?.body == "x")
        #expect(throws: SQSError.missingParameter("MessageBody")) { try entries[2].content.get() }
        let answers = entries.map { entry in
            BatchEntry(
                id: entry.id,
                content: entry.content.map { SQSAnswer.Sent($0, messageID: "m", sequenceNumber: "1") }
            )
        }
        #expect(
            String(decoding: SQSAnswer.sentBatch(answers).json, as: UTF8.self)
                == #"{"Successful":[{"Id":"a","MessageId":"m","MD5OfMessageBody":"9dd4e461268c8034f5c8564e155c67a6","#
                + #""SequenceNumber":"1"}],"Failed":[{"Id":"b","SenderFault":true,"Code":"InvalidParameterValue","#
                + #""Message":"Value 1800 for parameter DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and "#
                + #"<= 900."},{"Id":"c","SenderFault":true,"Code":"MissingParameter","Message":"The request must contain "#
                + #"the parameter MessageBody."}]}"#
        )
        #expect(
            String(decoding: SQSAnswer.sentBatch([answers[0]]).json, as: UTF8.self).contains("Failed")
                == false
        )
    }
}
