import Foundation
import Synchronization

/// Somebody on a loopback port who says what a test wants, as no NATS server would.
final class ScriptedServer: Sendable {
    let port: Int
    private let listener: Int32
    /// Connections, and those that their clients have ended.
    private let count = Mutex((began: 0, ended: 0))

    /// - Parameters:
    ///   - greeting: Said at once, in one piece.
    ///   - answer: What is said to each piece that comes; "" for nothing.
    init(greeting: String, answer: @escaping @Sendable (String) -> String = { _ in "" }) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 16) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { return }
                count.withLock { $0.began += 1 }
                Thread.detachNewThread { [self] in
                    Self.serve(connection, greeting, answer)
                    count.withLock { $0.ended += 1 }
                }
            }
        }
    }

    /// Within ten seconds.
    var hasConnection: Bool { get async { await soon { $0.began > 0 } } }
    var hasEndedConnection: Bool { get async { await soon { $0.ended > 0 } } }

    private func soon(_ holds: @Sendable ((began: Int, ended: Int)) -> Bool) async -> Bool {
        let deadline = ContinuousClock.now + .seconds(10)
        while !count.withLock({ holds($0) }) {
            guard .now < deadline else { return false }
            try? await Task.sleep(for: .milliseconds(5))
        }
        return true
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    /// Until the client ends the connection.
    private static func serve(_ connection: Int32, _ greeting: String, _ answer: (String) -> String) {
        say(greeting, connection)
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(connection, &piece, piece.count, 0)
            guard count > 0 else { break }
            say(answer(String(decoding: piece[..<count], as: UTF8.self)), connection)
        }
        close(connection)
    }

    private static func say(_ text: String, _ connection: Int32) {
        _ = Array(text.utf8).withUnsafeBytes { send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
    }
}
