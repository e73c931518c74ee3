import EmbeddedPostgres
import Foundation
import Synchronization

/// A real `nats-server` on a free loopback port, with a store of its own; it ends with the test process.
package final class NATSServer: Sendable {
    /// Nil: it is not installed (`make deps` installs it where Debian's packages can be had).
    package static let executable: String? = ["/usr/sbin", "/usr/bin", "/usr/local/bin"]
        .map { $0 + "/nats-server" }.first { FileManager.default.isExecutableFile(atPath: $0) }

    package static let missing = "nats-server is not installed: apt-get install nats-server"

    private static let timeout: Duration = .seconds(20)

    package let directory: String
    package let port: Int
    private let child: Mutex<ChildProcess?>

    /// - Parameter options: further lines of the configuration; `DIRECTORY` in them becomes the server's directory.
    package init(options: String = "", directory: String? = nil) throws {
        self.directory = try directory ?? TemporaryDirectory.make()
        let text = options.replacing("DIRECTORY", with: self.directory)
        try Self.configure(self.directory, listen: -1, text)
        let first = try Self.launch(self.directory)
        port = try Self.readPort(self.directory, first)
        try Self.configure(self.directory, listen: port, text)
        child = Mutex(first)
    }

    /// A loopback port that nobody listens on now; another program may take it before it is used.
    package static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
            }
        }
        guard isBound else { throw POSIXError(.EADDRINUSE) }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    package var url: String { "nats://127.0.0.1:\(port)" }
    package var store: String { directory + "/store" }

    /// SIGKILL: nothing is flushed.
    package func kill() {
        child.withLock { child in
            guard let running = child else { return }
            Glibc.kill(running.pid, SIGKILL)
            _ = running.wait(until: .now + Self.timeout)
            child = nil
        }
    }

    /// On the same port, with what the store holds.
    package func start() throws {
        let started = try Self.launch(directory)
        _ = try Self.readPort(directory, started)
        child.withLock { $0 = started }
    }

    /// SIGSTOP: connections stay, nothing answers.
    package func pause() { child.withLock { if let child = $0 { Glibc.kill(child.pid, SIGSTOP) } } }

    package func resume() { child.withLock { if let child = $0 { Glibc.kill(child.pid, SIGCONT) } } }

    private static func configure(_ directory: String, listen port: Int, _ options: String) throws {
        let text = """
            listen: "127.0.0.1:\(port)"
            ports_file_dir: "\(directory)"
            jetstream { store_dir: "\(directory)/store" }
            \(options)
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: directory + "/nats.conf"))
    }

    private static func launch(_ directory: String) throws -> ChildProcess {
        guard let executable else { throw CocoaError(.fileNoSuchFile) }
        // The watchdog knows servers by their working directory, which lies below the one it guards.
        try FileManager.default.createDirectory(atPath: directory + "/run", withIntermediateDirectories: true)
        let script = #"cd "$0/run" && exec "$1" -c "$0/nats.conf" -l "$0/log""#
        return try ChildProcess.spawn(["/bin/sh", "-c", script, directory, executable])
    }

    /// Waits until the server says which port it listens on, and accepts connections there.
    private static func readPort(_ directory: String, _ child: ChildProcess) throws -> Int {
        let deadline = ContinuousClock.now + timeout
        let file = "\(directory)/nats-server_\(child.pid).ports"
        while ContinuousClock.now < deadline, child.poll() == nil {
            if let data = FileManager.default.contents(atPath: file),
                let ports = try? JSONDecoder().decode([String: [String]].self, from: data),
                let port = ports["nats"]?.first.flatMap({ URL(string: $0)?.port })
            {
                return port
            }
            usleep(5_000)
        }
        let log = (try? String(contentsOfFile: directory + "/log", encoding: .utf8)) ?? "no log"
        throw CocoaError(.executableLoad, userInfo: [NSLocalizedDescriptionKey: "nats-server did not start: \(log)"])
    }

    deinit { kill() }
}
