import Catalog
import SQSProtocol
import Testing

@Suite("Signatures that come with requests")
struct PresentedSignatureTests {
    private static let secret = "abcdefghijklmnopqrstuvwxyz0123456789+/AB"
    private static let now = Timestamp(microseconds: 1_769_860_800_000_000)
    private static let scope = "20260131/eu-west-1/sqs/aws4_request"
    private static let names = "content-type;host;x-amz-date;x-amz-target;x-amzn-query-mode"

    /// A request that boto3 1.43 sent.
    private static func recorded(
        _ operation: String,
        _ body: String,
        signature: String,
        names: String = names,
        token: String? = nil
    ) -> SignableRequest {
        var fields = [
            ("Host", "127.0.0.1:8080"), ("X-Amz-Target", "AmazonSQS.\(operation)"),
            ("Content-Type", "application/x-amz-json-1.0"), ("x-amzn-query-mode", "true"),
            ("User-Agent", "Boto3/1.43.11 md/Botocore#1.43.11"), ("X-Amz-Date", "20260131T120000Z"),
            (
                "Authorization",
                "AWS4-HMAC-SHA256 Credential=RASTROKEYABCD2345/\(scope), SignedHeaders=\(names), Signature=\(signature)"
            ),
            ("amz-sdk-request", "attempt=1"), ("Content-Length", "\(body.utf8.count)"),
        ]
        if let token { fields.append(("X-Amz-Security-Token", token)) }
        return SignableRequest(
            method: "POST",
            path: "/",
            fields: fields.map { SignableRequest.Field($0.0, $0.1) },
            body: Array(body.utf8)
        )
    }

    private static let receive = recorded(
        "ReceiveMessage",
        #"{"QueueUrl": "http://127.0.0.1:8080/000000000000/orders.fifo", "MaxNumberOfMessages": 10, "#
            + #""WaitTimeSeconds": 20, "AttributeNames": ["All"], "MessageAttributeNames": ["All"]}"#,
        signature: "1b5399d590a7bdf14321fc87ac76c4ab6c4f1657891663ec71e9258cbb366244"
    )
    private static let send = recorded(
        "SendMessage",
        #"{"QueueUrl": "http://127.0.0.1:8080/000000000000/orders", "MessageBody": "na\u00efve \u2615", "#
            + #""MessageAttributes": {"n": {"DataType": "Number", "StringValue": "1.5"}, "#
            + #""b": {"DataType": "Binary.png", "BinaryValue": "AP8="}}}"#,
        signature: "1850ab18b44c2b298b0b5eb5a0ea6b0d797e109b8a9f9996bf7e21d20e0f5ddf"
    )
    private static let withToken = recorded(
        "ListQueues",
        "{}",
        signature: "a1b304dc725e0107d047a96476b64a838388b5ce3fa36149ddc9ca0d91c46ef4",
        names: "content-type;host;x-amz-date;x-amz-security-token;x-amz-target;x-amzn-query-mode",
        token: "IQoJb3JpZ2luX2VjE//token=="
    )

    private static func verify(_ request: SignableRequest, now: Timestamp = now)
        throws(SignatureFault)
    {
        let presented = try PresentedSignature(request)
        try presented.check(request, service: "sqs", now: now)
        guard
            presented.isMade(
                by: SigningKey(secretAccessKey: secret, scope: presented.scope),
                for: request
            )
        else {
            throw .mismatch
        }
    }

    private static func changed(
        _ name: String,
        _ change: (String) -> String?,
        in request: SignableRequest = receive
    ) -> SignableRequest {
        var request = request
        request.fields = request.fields.compactMap { field in
            guard field.name == name else { return field }
            return change(field.value).map { SignableRequest.Field(name, $0) }
        }
        return request
    }

    @Test("requests of boto3 are accepted", arguments: [receive, send, withToken])
    func recordings(_ request: SignableRequest) throws {
        try Self.verify(request)
        #expect(try PresentedSignature(request).accessKeyID == "RASTROKEYABCD2345")
        #expect(try PresentedSignature(request).scope.region == "eu-west-1")
    }

    @Test("whatever was changed on the way is noticed")
    func changes() {
        #expect(throws: SignatureFault.mismatch) {
            try Self.verify(Self.changed("x-amz-target") { _ in "AmazonSQS.PurgeQueue" })
        }
        #expect(throws: SignatureFault.mismatch) {
            try Self.verify(Self.changed("host") { _ in "127.0.0.1:8081" })
        }
        var request = Self.receive
        request.bodyDigest = Digest.sha256(Array("{}".utf8))
        #expect(throws: SignatureFault.mismatch) { try Self.verify(request) }
        request = Self.receive
        request.path = "/000000000000/other"
        #expect(throws: SignatureFault.mismatch) { try Self.verify(request) }
        request = Self.receive
        request.query = "Action=PurgeQueue"
        #expect(throws: SignatureFault.mismatch) { try Self.verify(request) }
        request = Self.receive
        request.fields.append(SignableRequest.Field("x-amz-target", "AmazonSQS.PurgeQueue"))
        #expect(throws: SignatureFault.mismatch) { try Self.verify(request) }
    }

    @Test("a proxy may change what is not signed")
    func unsigned() throws {
        var request = Self.changed("user-agent") { _ in "proxy" }
        request.fields.append(SignableRequest.Field("x-forwarded-for", "10.0.0.1"))
        try Self.verify(request)
    }

    @Test(
        "a date may be off by fifteen minutes and not by more",
        arguments: [-901, -900, 0, 900, 901]
    )
    func dates(seconds: Int64) throws {
        let now = Self.now.advanced(byMicroseconds: seconds * 1_000_000)
        switch seconds {
        case 901:
            #expect(throws: SignatureFault.expired(signedAt: Self.now, now: now)) {
                try Self.verify(Self.receive, now: now)
            }
        case -901:
            #expect(throws: SignatureFault.notYetCurrent(signedAt: Self.now, now: now)) {
                try Self.verify(Self.receive, now: now)
            }
        default: try Self.verify(Self.receive, now: now)
        }
    }

    @Test(
        "host, date and every x-amz- field must be signed",
        arguments: ["host", "x-amz-date", "x-amz-target"]
    )
    func mustBeSigned(name: String) {
        let request = Self.changed("authorization") { value in
            value.replacing("\(name);", with: "")
        }
        #expect(throws: SignatureFault.unsigned(name)) { try Self.verify(request) }
    }

    @Test("a field that was signed must have arrived")
    func absent() {
        #expect(throws: SignatureFault.absent("x-amzn-query-mode")) {
            try Self.verify(Self.changed("x-amzn-query-mode") { _ in nil })
        }
    }

    @Test(
        "the scope must be of this service and of the date",
        arguments: [
            "20260131/eu-west-1/s3/aws4_request", "20260130/eu-west-1/sqs/aws4_request",
            "20260131//sqs/aws4_request",
            "2026013/eu-west-1/sqs/aws4_request",
        ]
    )
    func scopes(scope: String) throws {
        let request = Self.changed("authorization") { $0.replacing(Self.scope, with: scope) }
        let fault = #expect(throws: SignatureFault.self) { try Self.verify(request) }
        guard case .wrongScope = fault else {
            Issue.record("\(scope): \(String(describing: fault))")
            return
        }
    }

    @Test(
        "an Authorization that cannot be read says why",
        arguments: [
            "Bearer rastro_x", "AWS4-HMAC-SHA256",
            "AWS4-HMAC-SHA256 Credential=a/20260131/r/sqs/aws4_request",
            "AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=00",
            "AWS4-HMAC-SHA256 Credential=a/20260131/r/sqs/aws4_request, SignedHeaders=host, Signature=0g",
            "AWS4-HMAC-SHA256 Credential=a/20260131/r/sqs/aws4_request, SignedHeaders=x;host, Signature="
                + String(repeating: "0", count: 64),
            "AWS4-HMAC-SHA256 Credential=a/20260131/r/sqs/aws4_request, SignedHeaders=host;Host, Signature="
                + String(repeating: "0", count: 64),
            "AWS4-HMAC-SHA256 Credential, SignedHeaders=host, Signature=00",
        ]
    )
    func unreadable(value: String) {
        let fault = #expect(throws: SignatureFault.self) {
            try Self.verify(Self.changed("authorization") { _ in value })
        }
        guard case .incomplete = fault else {
            Issue.record("\(value): \(String(describing: fault))")
            return
        }
    }

    @Test("no Authorization and no date are told apart")
    func missing() {
        #expect(throws: SignatureFault.missing) {
            try Self.verify(Self.changed("authorization") { _ in nil })
        }
        let fault = #expect(throws: SignatureFault.self) {
            try Self.verify(Self.changed("x-amz-date") { _ in nil })
        }
        #expect(fault.map { SQSError($0).code } == "IncompleteSignature")
        #expect(SQSError(SignatureFault.unknownKey).status == 403)
        #expect(
            SQSError(
                SignatureFault.expired(
                    signedAt: Self.now,
                    now: Self.now.advanced(byMicroseconds: 901_000_000)
                )
            )
            .message
                == "Signature expired: 20260131T120000Z is now earlier than 20260131T120001Z (20260131T121501Z - 15 min.)"
        )
    }

    @Test("dates are read and written in one form only")
    func amazonDates() throws {
        let time = try #require(Timestamp(amazonDate: "20260131T120000Z"))
        #expect(time == Self.now)
        #expect(time.advanced(byMicroseconds: 999_999).amazonDate == "20260131T120000Z")
        for text in [
            "2026-01-31T12:00:00Z", "20260131T120000", "20260132T120000Z", "20260131t120000Z", "",
        ] {
            #expect(Timestamp(amazonDate: text) == nil, "\(text)")
        }
    }
}
