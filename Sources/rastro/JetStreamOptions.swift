import ArgumentParser
import Delivery

/// A stream of NATS JetStream as a destination.
struct JetStreamOptions: ParsableArguments {
    @Option(
        help: "A server of NATS, nats://HOST:PORT or tls://HOST:PORT; may be given again. The events go to JetStream."
    )
    var natsServer: [String] = []

    @Option(help: "The stream's name; it is made if it is not there.")
    var stream: String?

    @Option(help: "The first part of every subject: PREFIX.<product id or log>.<type>.")
    var subjectPrefix = "products"

    @Option(help: "Replicas of a stream that is made, 1 to 5.")
    var replicas = 1

    @Option(help: "How many seconds a stream that is made keeps messages; by default for ever.")
    var maxAge: Int?

    @Option(help: "A .creds file on the machine that runs the server.")
    var credentialsFile: String?

    @Option(help: "A file with an NKey's seed.")
    var nkeySeedFile: String?

    @Option(help: "A user, with --password-file.")
    var natsUser: String?

    @Option(help: "A file with the user's password.")
    var passwordFile: String?

    @Option(help: "A file with a token.")
    var tokenFile: String?

    @Option(help: "A PEM file in place of the system's certificates.")
    var trustedCertificates: String?

    /// Nil when no server is named.
    var configuration: JetStreamConfiguration? {
        guard !natsServer.isEmpty else { return nil }
        var configuration = JetStreamConfiguration(servers: natsServer, stream: stream ?? "")
        configuration.subjectPrefix = subjectPrefix
        configuration.replicas = replicas
        configuration.maxAgeSeconds = maxAge
        configuration.credentialsFile = credentialsFile
        configuration.nkeySeedFile = nkeySeedFile
        configuration.user = natsUser
        configuration.passwordFile = passwordFile
        configuration.tokenFile = tokenFile
        configuration.trustedCertificates = trustedCertificates
        return configuration
    }
}
