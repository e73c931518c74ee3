import ArgumentParser

@main
struct Rastro: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rastro",
        abstract: "A product catalogue that can answer for itself.",
        discussion: """
            Every product change and every product fetch is an immutable event with a user id.

            Exit status: 0 done, 1 the thing checked is wrong, 2 usage, 3 cannot reach what it needs.
            """,
        subcommands: [
            Serve.self, Migrate.self, Keys.self, AuditCommand.self, Import.self, Rebuild.self, Verify.self, Doctor.self,
        ]
    )

    static func main() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as Failure {
            Terminal.error(failure.message)
            Self.exit(withError: ExitCode(failure.status.rawValue))
        } catch {
            let code = exitCode(for: error)
            if code == .validationFailure {
                Terminal.error(fullMessage(for: error))
                Self.exit(withError: ExitCode(Failure.Status.usage.rawValue))
            }
            Self.exit(withError: error)
        }
    }
}

/// An end of a command that scripts can tell apart.
struct Failure: Error {
    enum Status: Int32 {
        /// The thing checked is wrong: drift, a bad proof.
        case wrong = 1
        case usage = 2
        /// Cannot reach what it needs.
        case unreachable = 3
    }

    let status: Status
    let message: String

    init(_ status: Status, _ message: String) {
        self.status = status
        self.message = message
    }
}
