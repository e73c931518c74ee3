import Foundation
import Testing

@testable import Delivery

struct WebhookAnswerTests {
    /// The example of Standard Webhooks' reference libraries.
    @Test func `a signature is the one that other implementations make`() throws {
        let key = try #require(Data(base64Encoded: "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
        let text = WebhookSignature.text(
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
            seconds: 1_614_265_330,
            body: Array(#"{"test": 2432232314}"#.utf8),
            keys: [Array(key), [1, 2, 3]]
        )
        let signatures = text.split(separator: " ")
        #expect(signatures.first == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
        #expect(signatures.count == 2 && signatures[1].hasPrefix("v1,"))
    }

    @Test(arguments: [
        (WebhookAnswer.status(200, retryAfter: nil), SendOutcome.accepted),
        (.status(204, retryAfter: 9), .accepted),
        (.status(302, retryAfter: nil), .retry("the endpoint answered 302")),
        (.status(400, retryAfter: nil), .retry("the endpoint answered 400")),
        (.status(410, retryAfter: nil), .gone("the endpoint is gone (410)")),
        (.status(429, retryAfter: 7), .unavailable("too many requests (429)", after: .seconds(7))),
        (.status(429, retryAfter: nil), .unavailable("too many requests (429)")),
        (.status(500, retryAfter: nil), .retry("the endpoint answered 500")),
        (.status(503, retryAfter: nil), .retry("the endpoint answered 503")),
        (.status(503, retryAfter: 100_000), .unavailable("the endpoint is away (503)", after: .seconds(86_400))),
        (.late, .retry("the endpoint did not answer in time")),
        (.broken("the connection failed"), .retry("the connection failed")),
        (.unreachable("no connection in time"), .unavailable("no connection in time")),
    ])
    func `an answer means`(_ answer: WebhookAnswer, _ outcome: SendOutcome) {
        #expect(answer.outcome == outcome)
    }

    @Test func `five products in vain in a row are the endpoint's fault, until one event is taken`() {
        var strain = WebhookStrain()
        let failure = SendOutcome.retry("no")
        for _ in 0..<20 { #expect(strain.judge(failure, of: "1") == failure) }
        for group in 2...4 { #expect(strain.judge(failure, of: "\(group)") == failure) }
        #expect(strain.judge(failure, of: "5") == .unavailable("no"))
        #expect(strain.judge(failure, of: "1") == .unavailable("no"))
        #expect(strain.judge(.accepted, of: "6") == .accepted)
        #expect(strain.judge(failure, of: "1") == failure)
    }
}
