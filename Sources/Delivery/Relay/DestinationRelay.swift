import EventLog
import Logging

/// Hands the log on to one destination for as long as this process owns it.
///
///     standby ──take over──► owner ──lease over, deposed, paused, or the database is away──► standby
///
/// What an owner holds in memory is void once it is one no longer: the next begins with what was saved. A message may
/// then go out again, under the same deduplication id.
struct DestinationRelay: Sendable {
    struct Settings: Sendable {
        /// Names this process among the owners.
        var owner: String
        /// How long another process waits for an owner that gives no sign.
        var lease: Duration = .seconds(4)
        /// How often the lease is renewed, and operators' acts are looked for.
        var renewal: Duration = .milliseconds(800)
        /// How often a standby looks whether the destination is free.
        var standby: Duration = .milliseconds(500)
        /// How often the log is looked at when nothing wakes the relay.
        var poll: Duration = .milliseconds(200)
        /// How often the cursor is saved at most.
        var saving: Duration = .milliseconds(250)
        /// Events that one statement reads at most.
        var scanLimit: Int32 = 1_000
        /// Groups that are read back in one round at most, and events of each.
        var readingLimit = 20
        var readingSize: Int32 = 100
        /// Replays under way at once; the others wait.
        var replayLimit = 4
        /// Those included that only an operator can end.
        var openReplayLimit = 100
        /// How long is waited after an owner has failed, first; doubling up to `longestPause`.
        var reopening: Duration = .milliseconds(500)
        var longestPause: Duration = .seconds(10)
        /// How long what is under way may take once the relay is told to stop.
        var stopping: Duration = .seconds(5)
    }

    let store: RelayStore
    let log: EventLog
    let settings: Settings
    let logger: Logger
    let open: DestinationOpener
    let stop: RelayStop

    /// Relays until it is stopped: what is under way then is finished and saved.
    func run() async {
        var failures = 0
        while !stop.isSet, !Task.isCancelled {
            let before = ContinuousClock.now
            var pause = settings.standby
            do {
                if let taken = try await store.take(owner: settings.owner, lease: settings.lease) {
                    switch await own(taken, since: before) {
                    case .ended: (failures, pause) = (0, .zero)
                    case .broke: (failures, pause) = (1, waiting(after: 1))
                    case .failed:
                        failures += 1
                        pause = waiting(after: failures)
                    }
                }
            } catch {
                logger.debug("cannot take the destination over", metadata: ["error": "\(error)"])
            }
            await stop.wait(atMost: pause)
        }
    }

    private func waiting(after failures: Int) -> Duration {
        min(settings.longestPause, settings.reopening * (1 << min(failures - 1, 10)))
    }

    private enum Ending {
        /// As it should: stopped, paused or changed.
        case ended
        /// After the destination had taken events.
        case broke
        case failed
    }

    private func own(_ taken: RelayStore.Taken, since before: ContinuousClock.Instant) async -> Ending {
        var logger = logger
        logger[metadataKey: "destination"] = "\(taken.destination.name)"
        let lease = RelayLease(until: before + settings.lease)
        let destination: any Destination
        do throws(DestinationError) { destination = try open(taken.destination) } catch {
            await giveUp(taken, error, logger: logger)
            return .failed
        }
        var owner = RelayOwner(self, taken, destination, lease, logger: logger)
        do {
            let known = try await opened(destination, taken, lease)
            logger.info("relaying", metadata: ["after": "\(taken.cursor)"])
            try await owner.begin(known: known)
            try await owner.run()
        } catch {
            await destination.close()
            await giveUp(taken, error, logger: logger)
            return owner.hasSent ? .broke : .failed
        }
        await destination.close()
        return .ended
    }

    /// Lets another take the destination, and says why to whoever lists it.
    private func giveUp(_ taken: RelayStore.Taken, _ error: any Error, logger: Logger) async {
        let reason = (error as? DestinationError)?.description ?? "\(error)"
        logger.warning("the destination is given up", metadata: ["error": "\(reason)"])
        try? await store.leave(taken.epoch, error: reason)
    }

    /// Opens a destination, keeping the lease meanwhile: that may take longer than a lease lasts.
    private func opened(
        _ destination: any Destination,
        _ taken: RelayStore.Taken,
        _ lease: RelayLease
    ) async throws -> Int64? {
        try await withThrowingTaskGroup(of: Opening.self) { group in
            group.addTask { .opened(try await destination.open()) }
            group.addTask {
                while !stop.isSet, !Task.isCancelled { await stop.wait(atMost: .seconds(3_600)) }
                throw DestinationError("the server is shutting down")
            }
            group.addTask {
                while true {
                    try await Task.sleep(for: settings.renewal)
                    let before = ContinuousClock.now
                    let kept = try await store.keep(taken.epoch, owner: settings.owner, lease: settings.lease)
                    guard kept != nil else { throw DestinationError("another process owns it") }
                    lease.renew(until: before + settings.lease)
                }
            }
            defer { group.cancelAll() }
            guard case .opened(let known)? = try await group.next() else { return nil }
            return known
        }
    }

    private enum Opening: Sendable {
        case opened(Int64?)
    }
}

/// Makes a destination of what its row says.
typealias DestinationOpener = @Sendable (DestinationDescription) throws(DestinationError) -> any Destination
