import Catalog
import HTTPTypes
import Hummingbird
import SQSProtocol

/// The SQS protocol, at the server's root and at the queues' URLs; nothing when this gateway serves no queues.
func queueRoutes(_ services: GatewayServices, _ configuration: GatewayConfiguration, room: WaitingRoom) -> [Route] {
    guard let directory = services.queues else { return [] }
    let controller = QueueController(
        log: services.eventLog,
        directory: directory,
        authenticator: SignatureAuthenticator(keys: services.keys),
        refusals: services.refusals,
        forwarder: services.queueForwarder,
        rooms: QueueRooms(requests: room, polls: WaitingRoom(limit: configuration.waitingPollsLimit)),
        bodies: QueueBodyLimits(configuration),
        address: configuration.advertisedAddress
    )
    return ["/", "/\(QueueARN.account)/{queue}"].map { path in
        Route(method: .post, path: path, via: .post, caching: .never, action: .open(controller.handle))
    }
}
