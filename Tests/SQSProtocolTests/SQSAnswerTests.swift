import Catalog
import SQSProtocol
import Testing

@Suite("Answers of the SQS protocol")
struct SQSAnswerTests {
    private static func text(_ answer: SQSAnswer) -> String {
        String(decoding: answer.json, as: UTF8.self)
    }

    private static func received(_ attributes: MessageAttributes) -> SQSAnswer.Received {
        SQSAnswer.Received(
            messageID: "m",
            receiptHandle: "h",
            body: "msg",
            systemAttributes: [(.approximateReceiveCount, "2")],
            attributes: attributes
        )
    }

    @Test("a received message has its MD5s, and no empty map of attributes")
    func received() {
        #expect(
            Self.text(.received([Self.received(MessageAttributes())]))
                == #"{"Messages":[{"MessageId":"m","ReceiptHandle":"h","MD5OfBody":"6e2baaf3b97dbeef01c0043275f9a0e7","#
                + #""Body":"msg","Attributes":{"ApproximateReceiveCount":"2"}}]}"#
        )
        let attributes = MessageAttributes([
            MessageAttribute(name: "Foo", dataType: "String", value: .text("Bar"))
        ])
        #expect(
            Self.text(.received([Self.received(attributes)])).hasSuffix(
                #""MD5OfMessageAttributes":"ae7155c6026991b6d54b11589678bf9c","MessageAttributes":{"Foo":"#
                    + #"{"DataType":"String","StringValue":"Bar"}}}]}"#
            )
        )
    }

    @Test("what is empty is left out, and void answers are an empty object")
    func empty() {
        #expect(Self.text(.done) == "{}")
        #expect(Self.text(.received([])) == "{}")
        #expect(Self.text(.attributes([])) == "{}")
        #expect(Self.text(.tags([:])) == "{}")
        #expect(Self.text(.queueURLs([], next: nil)) == "{}")
        #expect(Self.text(.deadLetterSources([], next: nil)) == #"{"queueUrls":[]}"#)
        #expect(Self.text(.moves([])) == #"{"Results":[]}"#)
        #expect(
            Self.text(.doneBatch([BatchEntry(id: "a", content: .success(()))]))
                == #"{"Successful":[{"Id":"a"}]}"#
        )
    }

    @Test("a move tells its handle while it runs only")
    func moves() throws {
        let source = try #require(QueueARN("arn:aws:sqs:r:000000000000:dead.fifo"))
        var move = SQSAnswer.Move(
            status: .running,
            source: source,
            moved: 3,
            startedAt: Timestamp(microseconds: 1_700_000_000_123_456)
        )
        move.handle = "t"
        move.toMove = 9
        #expect(
            Self.text(.moves([move]))
                == #"{"Results":[{"TaskHandle":"t","Status":"RUNNING","SourceArn":"arn:aws:sqs:r:000000000000:dead.fifo","#
                + #""ApproximateNumberOfMessagesMoved":3,"ApproximateNumberOfMessagesToMove":9,"#
                + #""StartedTimestamp":1700000000123}]}"#
        )
        move.status = .completed
        #expect(!Self.text(.moves([move])).contains("TaskHandle"))
    }

    @Test("errors have shape, legacy code, status and message")
    func errors() throws {
        let error = SQSError.queueDoesNotExist
        #expect(
            String(decoding: error.json, as: UTF8.self)
                == #"{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}"#
        )
        #expect(error.queryError == "AWS.SimpleQueueService.NonExistentQueue;Sender")
        #expect(SQSError.unavailable("x").queryError == "ServiceUnavailable;Receiver")
        let name = try #require(QueueName("q"))
        #expect(SQSError.purgeInProgress(name).status == 403)
        #expect(SQSError.purgeInProgress(name).code == "AWS.SimpleQueueService.PurgeQueueInProgress")
        #expect(SQSError.queueNameExists(differingIn: .delaySeconds).code == "QueueAlreadyExists")
        #expect(
            SQSError.queueNameExists(differingIn: .delaySeconds).message
                == "A queue already exists with the same name and a different value for attribute DelaySeconds"
        )
        #expect(SQSError.accessDenied("x").status == 403)
        #expect(
            SQSError.invalidReceiptHandle("x").message
                == #"The input receipt handle "x" is not a valid receipt handle."#
        )
        #expect(
            SQSError.expiredReceiptHandle("x").message
                == "Value x for parameter ReceiptHandle is invalid. Reason: The receipt handle has expired."
        )
    }
}
