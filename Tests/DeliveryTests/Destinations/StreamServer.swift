import Catalog
import Foundation
import JetStream
import TestSupport
import Testing

@testable import Delivery

/// A nats-server with the stream of a destination, looked at from outside.
struct StreamServer: Sendable {
    struct Stored: Hashable {
        let subject: String
        let id: String
        let body: [UInt8]
        let headers: NATSHeaders
    }

    let server: NATSServer

    /// - Parameter options: further lines of the server's configuration.
    init(options: String = "") throws { server = try NATSServer(options: options) }

    func configuration(after: Int64? = 0) -> JetStreamConfiguration {
        var configuration = JetStreamConfiguration(servers: [server.url], stream: "PRODUCTS")
        configuration.after = after
        return configuration
    }

    /// A destination as an owner gets it.
    ///
    /// - Parameter change: of the configuration.
    func destination(
        _ id: Int32 = 1,
        types: [EventType] = [],
        after: Int64? = 0,
        requiredPayloadBytes: Int = JetStreamDestination.payloadLimitBytes,
        servers: JetStreamServers = JetStreamServers(),
        requestTimeout: Duration = .seconds(2),
        change: (inout JetStreamConfiguration) -> Void = { _ in }
    ) throws -> JetStreamDestination {
        var configuration = configuration(after: after)
        change(&configuration)
        let description = DestinationDescription(
            id: id,
            name: "nats",
            kind: .jetstream,
            configuration: configuration.json,
            selection: EventSelection(types: types)
        )
        return try JetStreamDestination(
            description,
            servers,
            requestTimeout: requestTimeout,
            requiredPayloadBytes: requiredPayloadBytes
        )
    }

    /// Connections to the server that stand on this machine.
    var connectionCount: Int {
        get throws {
            let port = ":" + String(format: "%04X", server.port)
            let table = try String(contentsOfFile: "/proc/net/tcp", encoding: .utf8)
            return table.split(separator: "\n").count { line in
                let fields = line.split(separator: " ")
                return fields.count > 3 && fields[2].hasSuffix(port) && fields[3] == "01"
            }
        }
    }

    func withClient<Value: Sendable>(
        _ body: @Sendable (JetStreamClient) async throws -> Value
    ) async throws -> Value {
        let address = try NATSAddress(url: server.url)
        let connection = try await NATSConnection.open(NATSConfiguration(servers: [address]))
        let value = try await body(JetStreamClient(connection))
        await connection.close()
        return value
    }

    /// Everything the stream holds, in order.
    func stored() async throws -> [Stored] {
        try await withClient { client in
            guard let stream = try await client.stream("PRODUCTS"), stream.lastSequence > 0 else { return [] }
            var all: [Stored] = []
            for sequence in 1...stream.lastSequence {
                guard let message = try await client.message("PRODUCTS", sequence: sequence) else { continue }
                let id = message.headers["Nats-Msg-Id"] ?? ""
                all.append(Stored(subject: message.subject, id: id, body: message.payload, headers: message.headers))
            }
            return all
        }
    }

    /// The positions of live events and ids of replays, in order.
    func ids() async throws -> [String] { try await stored().map(\.id) }

    /// Makes the stream beforehand, with a duplicate window so short that it plays no part.
    func makeForgetfulStream() async throws {
        let window = StreamServer.forgetting
        try await withClient { client in
            let wanted = try StreamConfiguration(name: "PRODUCTS", subjects: ["products.>"], duplicateWindow: window)
            _ = try await client.createStream(wanted)
        }
    }

    private static let forgetting = Duration.milliseconds(100)

    /// Waits until the server knows no id any more: time itself is what is waited for.
    func forget() async throws { try await Task.sleep(for: Self.forgetting * 4) }

    /// kill -9, and a copy of what lies on disk then.
    func crash(savingTo name: String) throws {
        server.kill()
        try FileManager.default.copyItem(atPath: server.store, toPath: server.directory + "/" + name)
    }

    /// kill -9, and a start with the copy: what was acknowledged since was never forced to disk.
    func losing(since name: String) throws {
        server.kill()
        try FileManager.default.removeItem(atPath: server.store)
        try FileManager.default.copyItem(atPath: server.directory + "/" + name, toPath: server.store)
        try server.start()
    }

    static func event(
        _ position: Int64,
        replay: Int? = nil,
        log: String = "0123abcd",
        padding: Int = 0
    ) -> OutgoingEvent {
        let product = position % 7 == 0 ? nil : position % 7
        let id = replay.map { "\(position)-r\($0)" } ?? "\(position)"
        let body = """
            {"specversion":"1.0","id":"\(position)","padding":"\(String(repeating: "x", count: padding))"}
            """
        return OutgoingEvent(
            position: position,
            product: product,
            type: product == nil ? "rastro.log.operated" : "rastro.product.fetched",
            body: Array(body.utf8),
            deduplicationID: id,
            messageID: "\(log)-\(id)",
            isReplay: replay != nil
        )
    }

    static func events(_ positions: ClosedRange<Int64>) -> [OutgoingEvent] { positions.map { event($0) } }

    static func ids(_ positions: ClosedRange<Int64>) -> [String] { positions.map { String($0) } }
}
