import Catalog
import SQSProtocol
import Testing

/// AWS's published test suite for Signature Version 4, each request in the form it has on the wire; signatures computed
/// by botocore 1.43.
@Suite("AWS's signature test suite")
struct SignatureSuiteTests {
    struct Vector: Sendable, CustomTestStringConvertible {
        let name: String
        var method = "GET"
        var path = "/"
        var query = ""
        var fields: [SignableRequest.Field] = []
        var body = ""
        var token: String?
        let signature: String

        var testDescription: String { name }
    }

    private static let unreserved =
        "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    private static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    private static let token =
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8Y"
        + "UuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE"
        + "8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2"
        + "ICCR/oLxBA=="

    private static func field(_ name: String, _ value: String) -> SignableRequest.Field {
        SignableRequest.Field(name, value)
    }

    static let vectors: [Vector] = [
        Vector(
            name: "vanilla",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        Vector(
            name: "post",
            method: "POST",
            signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"
        ),
        Vector(
            name: "query",
            query: "Param1=value1",
            signature: "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"
        ),
        Vector(
            name: "query in another order",
            query: "Param2=value2&Param1=value1",
            signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"
        ),
        Vector(
            name: "query name twice",
            query: "Param1=value2&Param1=value1",
            signature: "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"
        ),
        Vector(
            name: "query of unreserved characters",
            query: "\(unreserved)=\(unreserved)",
            signature: "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"
        ),
        Vector(
            name: "query without a value",
            query: "Param1=",
            signature: "506693d22b79f51760ff2217fe207bb63f86e8f316bf6c217a3c65d33d15410a"
        ),
        Vector(
            name: "query without an equals sign",
            query: "Param1",
            signature: "506693d22b79f51760ff2217fe207bb63f86e8f316bf6c217a3c65d33d15410a"
        ),
        Vector(
            name: "UTF-8 in the query",
            query: "%E1%88%B4=bar",
            signature: "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"
        ),
        Vector(
            name: "UTF-8 in the path, encoded twice",
            path: "/%E1%88%B4",
            signature: "697b34846207a3f72246f99d74ae1ee4fe54f44bb06730c58a0d339eb079596d"
        ),
        Vector(
            name: "path of unreserved characters",
            path: "/\(unreserved)",
            signature: "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"
        ),
        Vector(
            name: "relative path",
            path: "/example1/example2/../..",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        Vector(
            name: "dot in the path",
            path: "/./example",
            signature: "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"
        ),
        Vector(
            name: "only a dot",
            path: "/./",
            signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
        ),
        Vector(
            name: "slashes",
            path: "//example//",
            signature: "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"
        ),
        Vector(
            name: "space in the path",
            path: "/example%20space/",
            signature: "446b817944c553435b35e813c261ff4e161fff982d1bacdef1c87f6785dd1662"
        ),
        Vector(
            name: "header values are trimmed",
            fields: [field("My-Header1", " value1"), field("My-Header2", "  \"a   b   c\"  ")],
            signature: "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"
        ),
        Vector(
            name: "header several times",
            fields: [
                field("My-Header1", "value4"), field("MY-HEADER1", "value1"), field("my-header1", "value3"),
            ]
                + [field("My-Header1", "value2")],
            signature: "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"
        ),
        Vector(
            name: "header names are sorted",
            method: "POST",
            fields: [field("My-Header1", "value1")],
            signature: "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"
        ),
        Vector(
            name: "body",
            method: "POST",
            fields: [field("Content-Type", "application/x-www-form-urlencoded")],
            body: "Param1=value1",
            signature: "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"
        ),
        Vector(
            name: "session token",
            method: "POST",
            token: token,
            signature: "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"
        ),
    ]

    @Test("signs as botocore does, and accepts what it signed", arguments: vectors)
    func vector(_ vector: Vector) throws {
        var request = SignableRequest(
            method: vector.method,
            path: vector.path,
            query: vector.query,
            fields: [SignableRequest.Field("Host", "example.amazonaws.com")] + vector.fields,
            body: Array(vector.body.utf8)
        )
        let time = try #require(Timestamp(rfc3339: "2015-08-30T12:36:00Z"))
        let key = AccessKey(id: "AKIDEXAMPLE", secret: Self.secret, sessionToken: vector.token)
        RequestSigner(key, region: "us-east-1", service: "service").sign(&request, at: time)
        let authorization = try #require(request["authorization"])
        #expect(authorization.hasSuffix("Signature=\(vector.signature)"))
        #expect(
            authorization.hasPrefix(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            )
        )

        let presented = try PresentedSignature(request)
        try presented.check(request, service: "service", now: time)
        #expect(
            presented.isMade(
                by: SigningKey(secretAccessKey: Self.secret, scope: presented.scope),
                for: request
            )
        )
        #expect(
            !presented.isMade(
                by: SigningKey(secretAccessKey: "another", scope: presented.scope),
                for: request
            )
        )
    }
}
