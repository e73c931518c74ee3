import Catalog
import Foundation
import SQSProtocol
import Testing

@testable import Delivery

@Suite struct SQSDestinationTests {
    private static func event(_ position: Int64, body: String = "{}") -> OutgoingEvent {
        OutgoingEvent(
            position: position,
            product: position,
            type: "rastro.product.created",
            body: Array(body.utf8),
            deduplicationID: "\(position)",
            messageID: "0123abcd-\(position)",
            isReplay: false
        )
    }

    private static func judge(_ status: Int, _ body: String, _ count: Int64 = 2) -> SQSOutcomes.Judgement {
        SQSOutcomes.judge(.answer(status: status, body: Array(body.utf8)), (1...count).map { event($0) })
    }

    private static let digest = Digest.md5(Array("{}".utf8))

    @Test func `only the sender's own faults are for good, and only with its digest a message is taken`() {
        #expect(
            Self.judge(200, #"{"Successful":[{"Id":"1","MD5OfMessageBody":"\#(Self.digest)"}],"Failed":[]}"#).outcomes
                == [.retry("the answer does not name it"), .accepted]
        )
        let failed =
            #"{"Failed":[{"Id":"0","SenderFault":true,"Code":"InvalidMessageContents","Message":"bad"},"#
            + #"{"Id":"1","SenderFault":true,"Code":"AWS.SimpleQueueService.OverLimit","Message":"busy"}]}"#
        #expect(
            Self.judge(200, failed).outcomes == [.refused("InvalidMessageContents: bad"), .retry("OverLimit: busy")]
        )
    }

    @Test(arguments: [
        (403, "InvalidClientTokenId"), (400, "QueueDoesNotExist"), (400, "RequestThrottled"),
        (503, "ServiceUnavailable"),
        (400, "InvalidParameterValueException"),
    ])
    func `what is wrong with the queue, the key or the load is no message's fault`(status: Int, code: String) {
        let judgement = Self.judge(status, #"{"__type":"com.amazonaws.sqs#\#(code)","message":"key material"}"#)
        for outcome in judgement.outcomes {
            guard case .unavailable(let reason, _) = outcome else {
                Issue.record("\(outcome)")
                continue
            }
            #expect(reason.contains(code))
            #expect(status != 403 || !reason.contains("key material"))
        }
    }

    @Test func `a request that is refused for its contents is split`() {
        let judgement = Self.judge(400, #"{"__type":"com.amazonaws.sqs#InvalidMessageContents","message":"bad"}"#)
        #expect(judgement.mustSplit)
        #expect(judgement.outcomes[0] == .refused("InvalidMessageContents: bad"))
    }

    @Test func `configurations that cannot work are told, and none bears credentials`() throws {
        #expect(SQSConfiguration(queueURL: "https://sqs.eu-west-1.amazonaws.com/1/q.fifo").fault == nil)
        for url in ["q.fifo", "ftp://h/q", "https://u:p@h/q", "https://h", "https://h/q?x=1"] {
            #expect(SQSConfiguration(queueURL: url).fault != nil, "\(url)")
        }
        #expect(SQSConfiguration(queueURL: "https://h/q", groupBatch: 11).fault != nil)
        #expect(SQSConfiguration(queueURL: "https://h/q", endpointURL: "https://u@h").fault != nil)
        let full = SQSConfiguration(
            queueURL: "https://sqs.us-east-2.amazonaws.com/1/q.fifo",
            region: "eu-west-3",
            endpointURL: "http://127.0.0.1:1",
            profile: "p",
            groupBatch: 3
        )
        #expect(try SQSConfiguration(json: full.json) == full)
        #expect(full.regionOfHost == "us-east-2")
    }

    @Test func `credentials are found as AWS tools find them`() throws {
        let directory = NSTemporaryDirectory() + "aws-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let credentials =
            "[default]\naws_access_key_id = A\naws_secret_access_key=SA\n[other]\n# none\n"
            + "aws_access_key_id=B\naws_secret_access_key = SB\naws_session_token = T\n"
        let config = "[profile other]\nregion = eu-west-3\ns3 =\n  region = nested\n[default]\nregion=us-east-1\n"
        try credentials.write(toFile: directory + "/c", atomically: true, encoding: .utf8)
        try config.write(toFile: directory + "/f", atomically: true, encoding: .utf8)
        let files = ["AWS_SHARED_CREDENTIALS_FILE": directory + "/c", "AWS_CONFIG_FILE": directory + "/f"]
        let keys = ["AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "SE"]
        let both = files.merging(keys) { $1 }
        #expect(AWSProfile(name: nil, environment: files).credentials()?.id == "A")
        #expect(AWSProfile(name: nil, environment: both).credentials()?.id == "E")
        #expect(AWSProfile(name: "other", environment: both).credentials()?.sessionToken == "T")
        #expect(AWSProfile(name: "other", environment: files).region == "eu-west-3")
        #expect(AWSProfile(name: nil, environment: files).region == "us-east-1")
        let named = files.merging(["AWS_PROFILE": "other"]) { $1 }
        #expect(AWSProfile(name: nil, environment: named).credentials()?.secret == "SB")
        #expect(AWSProfile(name: nil, environment: ["HOME": directory]).credentials() == nil)
        #expect(AWSProfile(name: "none", environment: both).credentials() == nil)
    }
}
