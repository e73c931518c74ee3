import JetStream
import Synchronization

/// Which server of each destination answered last: it is asked first when the destination is opened again.
final class JetStreamServers: Sendable {
    private let answered = Mutex<[Int32: NATSAddress]>([:])

    func remember(_ address: NATSAddress, for destination: Int32) {
        answered.withLock { $0[destination] = address }
    }

    /// The servers in the order in which they should be asked.
    func ordered(_ servers: [NATSAddress], for destination: Int32) -> [NATSAddress] {
        guard let first = answered.withLock({ $0[destination] }), servers.contains(first) else { return servers }
        return [first] + servers.filter { $0 != first }
    }
}
