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
        /// How long is waited after a destination could not be opened.
        var reopening: Duration = .seconds(2)
    }

    let store: RelayStore
    let log: EventLog
    let settings: Settings
    let logger: Logger
    let open: DestinationOpener
    let stop: RelayStop

    /// Relays until it is stopped: what is under way then is finished and saved.
    func run() async {
        while !stop.isSet, !Task.isCancelled {
            let before = ContinuousClock.now
            var pause = settings.standby
            do {
                if let taken = try await store.take(owner: settings.owner, lease: settings.lease) {
                    pause = await own(taken, since: before)
                }
            } catch {
                logger.debug("cannot take the destination over", metadata: ["error": "\(error)"])
            }
            await stop.wait(atMost: pause)
        }
    }

    /// Returns how long to wait before it is tried again.
    private func own(_ taken: RelayStore.Taken, since before: ContinuousClock.Instant) async -> Duration {
        var logger = logger
        logger[metadataKey: "destination"] = "\(taken.destination.name)"
        let destination: any Destination
        let known: Int64?
        do throws(DestinationError) {
            destination = try open(taken.destination)
            known = try await destination.open()
        } catch {
            logger.warning("the destination cannot be used", metadata: ["error": "\(error)"])
            try? await store.leave(taken.epoch, error: error.description)
            return settings.reopening
        }
        logger.info("relaying", metadata: ["after": "\(taken.cursor)"])
        var owner = RelayOwner(self, taken, destination, since: before, logger: logger)
        do {
            try await owner.begin(known: known)
            try await owner.run()
        } catch {
            logger.notice("the destination is given up", metadata: ["error": "\(error)"])
        }
        await destination.close()
        return settings.standby
    }
}

/// Makes a destination of what its row says.
typealias DestinationOpener = @Sendable (DestinationDescription) throws(DestinationError) -> any Destination
