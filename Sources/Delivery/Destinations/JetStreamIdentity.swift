import Catalog
import Crypto

/// Whose events a stream holds, and which: each message bears it, so that no stream counts as holding what another
/// destination, or another filter, put there.
///
///     <the log's incarnation>/<number of the destination>/<position after which its filter counts>-<the filter's digest>
struct JetStreamIdentity: Sendable, Hashable {
    static let header = "Rastro-Destination"

    /// The log's incarnation; nil: not known before the first event.
    let log: String?
    let destination: Int32
    /// Which events are meant. A filter that came back after another has another position.
    let selection: String

    /// - Parameter start: The position after which the filter counts; nil: not known.
    init(_ destination: Int32, _ selection: EventSelection, start: Int64?) {
        log = nil
        self.destination = destination
        self.selection = "\(start.map { String($0) } ?? "")-\(Self.digest(selection))"
    }

    private init(log: String?, destination: Int32, selection: String) {
        self.log = log
        self.destination = destination
        self.selection = selection
    }

    /// Nil: no relay has written this.
    init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, let destination = Int32(parts[1]), !parts[2].isEmpty else {
            return nil
        }
        self.init(log: String(parts[0]), destination: destination, selection: String(parts[2]))
    }

    func of(log: String) -> JetStreamIdentity {
        JetStreamIdentity(log: log, destination: destination, selection: selection)
    }

    var text: String { "\(log ?? "")/\(destination)/\(selection)" }

    private static func digest(_ selection: EventSelection) -> String {
        guard !selection.isWhole else { return "all" }
        let types = selection.types.map { String($0.rawValue) }.sorted().joined(separator: ",")
        let products = selection.products.sorted().map { String($0) }.joined(separator: ",")
        return SHA256.hash(data: Array("\(types);\(products)".utf8)).prefix(8)
            .map { byte in
                let hex = String(byte, radix: 16)
                return byte < 16 ? "0" + hex : hex
            }
            .joined()
    }
}

extension OutgoingEvent {
    /// The incarnation of the log that it stands in.
    var log: String { String(messageID.dropLast(deduplicationID.utf8.count + 1)) }
}
