import Catalog
import EventLog
import Foundation

/// The admin key that the first start on the embedded database makes: kept in a file that only its owner can read, shown
/// on a terminal only.
struct FirstKey: Sendable {
    private let path: String

    init(directory: String) { path = directory + "/admin-key" }

    /// Whether it was made now.
    func makeIfMissing(access: EventLogAccess) async throws -> Bool {
        guard !FileManager.default.fileExists(atPath: path) else { return false }
        guard let owner = UserID(external: "admin") else { return false }
        let context = try access.commandContext()
        let issued = try await access.withLog { log in
            try await KeyAdministration(log: log, context: context).create(owner: owner, scopes: [.admin])
        }
        let made = FileManager.default.createFile(
            atPath: path,
            contents: Data((issued.text + "\n").utf8),
            attributes: [.posixPermissions: 0o600]
        )
        guard made else { throw Failure(.unreachable, "cannot write \(path)") }
        return true
    }

    /// Three commands that work as printed in an empty catalogue.
    func showCommands(address: String) {
        let key = "x-api-key: $(cat \(path))"
        Terminal.note(
            """

            The admin key is in \(path). Try:

              curl -s \(address)/v1/products -H "\(key)" -H 'content-type: application/json' \
            -d '{"code":"DESK-1","name":"Desk","model":"D-1","price":19.9}'
              curl -s \(address)/v1/products/1 -H "\(key)"
              curl -s \(address)/v1/audit/products/1/events -H "\(key)"

            """
        )
        if Terminal.isInteractive, let text = try? String(contentsOfFile: path, encoding: .utf8) {
            Terminal.note("  key: \(text)")
        }
    }
}
