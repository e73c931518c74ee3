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
        version: "0.1.0",
        subcommands: [
            Serve.self, Migrate.self, Keys.self, AuditCommand.self, Import.self, Rebuild.self, Verify.self, Queue.self,
            DestinationsCommand.self, Webhooks.self, Replay.self, Doctor.self, Bench.self,
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
        } catch {
            if let failure = Failure(error) {
                Terminal.error(failure.message)
                Self.exit(withError: ExitCode(failure.status.rawValue))
            }
            let code = exitCode(for: error)
            if code == .validationFailure {
                Terminal.error(fullMessage(for: error))
                Self.exit(withError: ExitCode(Failure.Status.usage.rawValue))
            }
            Self.exit(withError: error)
        }
    }
}
