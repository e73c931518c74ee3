import EmbeddedPostgres
import Foundation

/// A directory for one test, removed with the test process, together with every PostgreSQL server that runs in it.
package enum TemporaryDirectory {
    /// Makes a directory with a short path.
    /// - Parameter open: whether other accounts may enter it, which a server that root hands over needs.
    package static func make(open: Bool = true) throws -> String {
        let directory = "/tmp/rastro-test-\(getpid())-\(UInt32.random(in: 0 ... .max))"
        try FileText.makeDirectory(directory, mode: open ? 0o755 : 0o700)
        try Watchdog.shared.guardDirectory(directory)
        return directory
    }
}
