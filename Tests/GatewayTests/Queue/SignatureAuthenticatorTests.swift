import Catalog
import EventLog
import Logging
import SQSProtocol
import Testing

@testable import Gateway

@Suite("Whose signature a request bears")
struct SignatureAuthenticatorTests {
    @Test("a signing key is kept only once it has proved right")
    func proof() async throws {
        try await QueueGateway.withDatabase { address in
            let gateway = try QueueGateway(address)
            try await gateway.run {
                let key = try await gateway.makeKey([.admin])
                let keys = KeyStore(
                    pool: gateway.log.readers,
                    secret: QueueGateway.secret,
                    logger: Logger(label: "signature-tests") { _ in SwiftLogNoOpLogHandler() }
                )
                let authenticator = SignatureAuthenticator(keys: keys)
                for number in 0..<20 {
                    let stranger = AccessKey(id: key.id, secret: "wrong")
                    let request = gateway.signed(.listQueues, "{}", as: stranger, region: "r\(number)")
                    let (signature, found) = try await authenticator.identify(request)
                    #expect(throws: SignatureFault.mismatch) {
                        try authenticator.verify(signature, by: found, for: request)
                    }
                }
                #expect(authenticator.keptCount == 0)
                let request = gateway.signed(.listQueues, "{}", as: key)
                let (signature, found) = try await authenticator.identify(request)
                for _ in 0..<2 { try authenticator.verify(signature, by: found, for: request) }
                #expect(authenticator.keptCount == 1)
            }
        }
    }
}
