import Foundation

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

extension RawConnection {
    /// Sends what may be more than fits the socket's buffer.
    func sendWhole(_ text: String) async {
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                send(text)
                continuation.resume()
            }
        }
    }

    /// A port of the loopback that nobody listened on a moment ago.
    static func freePort() throws -> Int {
        #if canImport(Glibc)
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_INET, SOCK_STREAM, 0)
        #endif
        defer { _ = Foundation.close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
            }
        }
        guard isBound else { throw Failure() }
        return Int(UInt16(bigEndian: address.sin_port))
    }
}
