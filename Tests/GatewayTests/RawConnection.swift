import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A plain socket to the gateway, for what no HTTP client would send.
struct RawConnection: Sendable {
    private let descriptor: Int32

    struct Failure: Error { let code = errno }

    /// - Parameter receiveBufferBytes: small, so that the server soon feels a client that does not read.
    init(port: Int, receiveBufferBytes: Int32 = 4_096) throws {
        #if canImport(Glibc)
            let stream = Int32(SOCK_STREAM.rawValue)
        #else
            let stream = SOCK_STREAM
        #endif
        descriptor = socket(AF_INET, stream, 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let connected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw Failure() }
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        var receiveBufferBytes = receiveBufferBytes
        setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &receiveBufferBytes, socklen_t(MemoryLayout<Int32>.size))
    }

    /// False once the other side has closed.
    @discardableResult
    func send(_ text: String) -> Bool {
        var text = text
        return text.withUTF8 { sendQuietly(descriptor, $0) == $0.count }
    }

    /// Everything up to the end of the connection; nil when it does not end within 20 seconds.
    func readToEnd() async -> String? { await read(.max) }

    /// The next bytes, fewer at the end of the connection; nil when they do not come within 20 seconds.
    func read(_ wanted: Int) async -> String? {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                var bytes: [UInt8] = []
                var chunk = [UInt8](repeating: 0, count: 65_536)
                while bytes.count < wanted {
                    let count = recv(descriptor, &chunk, min(chunk.count, wanted - bytes.count), 0)
                    if count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) {
                        return continuation.resume(returning: nil)
                    }
                    guard count > 0 else { break }
                    bytes += chunk[..<count]
                }
                continuation.resume(returning: String(decoding: bytes, as: UTF8.self))
            }
        }
    }

    /// Sends the same over and over, reading nothing, until the other side closes; or 20 seconds long.
    func sendUntilRefused(_ text: String) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                while send(text) {}
                continuation.resume()
            }
        }
    }

    func close() { _ = Foundation.close(descriptor) }
}

/// Sends without raising SIGPIPE.
private func sendQuietly(_ descriptor: Int32, _ bytes: UnsafeBufferPointer<UInt8>) -> Int {
    #if canImport(Glibc)
        send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    #else
        send(descriptor, bytes.baseAddress, bytes.count, 0)
    #endif
}
