import Foundation
import Synchronization

/// A small HTTP server on a loopback port: threads, blocking sockets, whatever answers a test wants.
final class LoopbackServer: Sendable {
    struct Answer: Sendable {
        var status = 200
        /// Further header lines, such as `retry-after: 3`.
        var fields: [String] = []
        var body: [UInt8] = []
        /// The connection ends without an answer.
        var hangsUp = false
    }

    struct Request: Sendable {
        /// The request's line and header lines, as they came.
        let head: [String]
        let body: [UInt8]

        /// A header's value; "" without it.
        func field(_ name: String) -> String {
            let prefix = name.lowercased() + ":"
            let line = head.first { $0.lowercased().hasPrefix(prefix) }
            return line.map { $0.dropFirst(prefix.count).trimmingCharacters(in: .whitespaces) } ?? ""
        }
    }

    let port: Int
    private let listener: Int32
    private let connections = Mutex<[Int32]>([])

    /// - Parameter answer: given a request's body; runs on many threads at once.
    convenience init(bodies answer: @escaping @Sendable ([UInt8]) -> Answer) throws {
        try self.init(requests: { answer($0.body) })
    }

    /// - Parameter answer: runs on many threads at once.
    init(requests answer: @escaping @Sendable (Request) -> Answer) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, size) == 0 && listen(listener, 128) == 0 && getsockname(listener, $0, &size) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRNOTAVAIL) }
        self.listener = listener
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in accept(answer) }
    }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        connections.withLock { open in
            for connection in open { shutdown(connection, Int32(SHUT_RDWR)) }
        }
    }

    private func accept(_ answer: @escaping @Sendable (Request) -> Answer) {
        while true {
            let connection = Glibc.accept(listener, nil, nil)
            guard connection >= 0 else { return }
            connections.withLock { $0.append(connection) }
            Thread.detachNewThread { [self] in
                serve(connection, answer)
                connections.withLock { $0.removeAll { $0 == connection } }
                close(connection)
            }
        }
    }

    private func serve(_ connection: Int32, _ answer: @Sendable (Request) -> Answer) {
        var received: [UInt8] = []
        while true {
            guard let head = Self.fill(&received, connection, until: { Self.headEnd($0) }) else { return }
            let length = Self.contentLength(received[..<head])
            guard Self.fill(&received, connection, until: { $0.count >= head + length ? 0 : nil }) != nil else {
                return
            }
            let lines = String(decoding: received[..<head], as: UTF8.self).split(separator: "\r\n").map(String.init)
            let given = answer(Request(head: lines, body: Array(received[head..<(head + length)])))
            received.removeFirst(head + length)
            guard !given.hangsUp else { return }
            let fields = given.fields.map { $0 + "\r\n" }.joined()
            let text = "HTTP/1.1 \(given.status) Fine\r\n\(fields)content-length: \(given.body.count)\r\n\r\n"
            guard Self.write(Array(text.utf8) + given.body, connection) else { return }
        }
    }

    private static func fill<Value>(
        _ received: inout [UInt8],
        _ connection: Int32,
        until isEnough: ([UInt8]) -> Value?
    ) -> Value? {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            if let value = isEnough(received) { return value }
            let count = recv(connection, &chunk, chunk.count, 0)
            guard count > 0 else { return nil }
            received += chunk[..<count]
        }
    }

    private static func headEnd(_ bytes: [UInt8]) -> Int? {
        bytes.firstRange(of: Array("\r\n\r\n".utf8))?.upperBound
    }

    private static func contentLength(_ head: ArraySlice<UInt8>) -> Int {
        let lines = String(decoding: head, as: UTF8.self).lowercased().split(separator: "\r\n")
        let field = lines.first { $0.hasPrefix("content-length:") }
        return field.flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
    }

    private static func write(_ bytes: [UInt8], _ connection: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }
}
