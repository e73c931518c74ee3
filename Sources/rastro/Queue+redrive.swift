import ArgumentParser
import Catalog
import Delivery
import EventLog
import LibPQ

extension Queue {
    struct Redrive: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Move a dead-letter queue's messages back to where they died, or to another queue.",
            discussion: """
                The queue's owner moves them, whether this command is still there or not. What comes back begins anew: it \
                is received as often as before, and lies in the dead-letter queue again if it still cannot be applied.
                """
        )

        @OptionGroup var options: DatabaseOptions

        @Argument(help: "The dead-letter queue's name, such as product-activity-dead.fifo.")
        var queue: String

        @Option(help: "Where to; by default each goes back to where it died.")
        var to: String?

        @Option(help: "Messages a second at most, 1 to 500; by default as fast as it goes.")
        var perSecond: Int?

        @Option(help: "Why; it is recorded.")
        var reason: String

        @Flag(help: "Do not wait until all are moved.")
        var detach = false

        func validate() throws {
            guard !reason.allSatisfy(\.isWhitespace) else { throw ValidationError("--reason says why") }
            if let perSecond, !(1...500).contains(perSecond) {
                throw ValidationError("--per-second is a number from 1 to 500")
            }
            guard to != queue else { throw ValidationError("--to is another queue") }
        }

        func run() async throws {
            let logger = options.makeLogger()
            let progress = ProgressReport("redriving: messages")
            let task = try await options.withDatabase(logger: logger) { [self, progress] database in
                let access = EventLogAccess(database: database, logger: logger)
                let context = try access.commandContext()
                return try await access.withLog { log in
                    let directory = QueueDirectory(log: log, host: nil, logger: logger)
                    do { return try await move(directory, log, context, progress) } catch {
                        throw (error as? QueueDirectoryError).map { failure($0) as any Error } ?? error
                    }
                }
            }
            show(task, seconds: progress.seconds)
            if task.status == .failed { throw Failure(.wrong, task.failure ?? "the move failed") }
        }

        /// The move as it was seen last.
        private func move(
            _ directory: QueueDirectory,
            _ log: EventLog,
            _ context: RequestContext,
            _ progress: ProgressReport
        ) async throws -> MoveTask {
            var progress = progress
            let source = try await directory.find(queue)
            try await check(source, directory)
            var task = try await directory.startMove(
                from: source,
                to: to,
                perSecond: perSecond,
                reason: reason,
                context: context
            )
            guard !detach else { return task }
            Terminal.note("the move has begun; it goes on when this command ends")
            let number = task.number
            var quiet = 0
            while task.status == .running {
                try await Task.sleep(for: .milliseconds(250))
                let moves = try await directory.moves(of: source, limit: 100)
                guard let now = moves.first(where: { $0.number == number }) else { break }
                task = now
                progress.update(Int(task.moved))
                let depths = try await log.readers.withConnection { try QueueDepth.read($0) }
                quiet = depths.contains { $0.name == queue && $0.owner != nil } ? 0 : quiet + 1
                guard quiet < Self.patience else {
                    throw Failure(.unreachable, "no server moves messages out of \(queue); it goes on when one does")
                }
            }
            progress.finish()
            return task
        }

        /// So often in a row it is looked whether some server owns the queue: 30 s.
        private static let patience = 120

        /// The same conditions as for clients of the queues.
        private func check(_ source: QueueDescription, _ directory: QueueDirectory) async throws {
            guard try await !directory.sources(ofDeadLetterQueue: queue).isEmpty else {
                throw Failure(.wrong, "\(queue) is no queue's dead-letter queue")
            }
            guard let to else { return }
            let target = try await directory.find(to)
            guard target.settings.isFIFO == source.settings.isFIFO else {
                throw Failure(.wrong, "\(to) is not of the same kind as \(queue): FIFO or standard")
            }
        }

        private func failure(_ error: QueueDirectoryError) -> Failure {
            switch error {
            case .noSuchQueue: Failure(.wrong, "there is no queue \(queue)\(to.map { ", or none \($0)" } ?? "")")
            case .moveInProgress: Failure(.wrong, "a move out of \(queue) is under way")
            case .database(let error): Failure(database: error)
            case .commit(let error): Failure(error) ?? Failure(.unreachable, "the log cannot be reached")
            default: Failure(.wrong, "the move did not begin")
            }
        }

        private func show(_ task: MoveTask, seconds: Double) {
            guard options.json else {
                Terminal.print(
                    detach
                        ? "messages of \(queue) are on their way to \(to ?? "where they died")"
                        : "\(task.moved) messages of \(queue) moved to \(to ?? "where they died"): "
                            + task.status.rawValue.lowercased()
                )
                return
            }
            var writer = JSONWriter()
            writer.beginObject()
            writer.member("queue", queue)
            writer.member("target", to)
            writer.member("moved", task.moved)
            writer.member("status", task.status.rawValue)
            writer.member("failure", task.failure)
            writer.key("seconds")
            writer.raw(Milliseconds.text(seconds))
            writer.endObject()
            Terminal.print(writer.bytes)
        }
    }
}
