import Catalog
import EventLog
import LibPQ
import Logging
import Monitoring
import Synchronization

/// The owner of one queue: holds its state in memory, writes its journal, and answers after the commit.
///
/// Runs on a thread of its own with blocking calls. Waiting sends, receives and deletes are committed together: one
/// pipeline, one transaction, one round trip. Its states:
///
///     standby ──take over──► owner ──deposed, or connection lost──► standby
///        └──closed, idle for too long, or the queue is deleted──► ended ◄──┘
///
/// What a lost batch held is void: memory is dropped, and the journal is read again at the next take-over.
final class QueueDispatcher {
    struct Settings: Sendable {
        var connection: ConnectionConfiguration
        /// Names this process among the owners.
        var owner: String
        /// The CloudEvents source of the log's events.
        var logSource: String
        /// Where it counts what it does.
        var metrics = Metrics()
        /// Where this process's gateway listens, for others to forward to.
        var address: String?
        /// How long another process waits for an owner that gives no sign.
        var lease: Duration = .seconds(4)
        /// How often the lease is renewed.
        var renewal: Duration = .seconds(1)
        /// How often a standby looks whether the queue is free.
        var standby: Duration = .milliseconds(500)
        /// How often the log is looked at when nothing wakes the dispatcher.
        var poll: Duration = .milliseconds(200)
        /// Messages a scan reads at most.
        var scanLimit: Int32 = 2_000
        /// Groups that are read back in one batch at most.
        var refillLimit = 100
        /// Replays that are delivered at a time; others wait for them.
        var replayLimit = 4
        /// After so long without a request it ends; nil: never.
        var idleLimit: Duration?
        /// Receives that wait at most; a queue refuses more.
        var waitingLimit = 10_000
    }

    let queue: QueueReference
    let inbox: QueueInbox
    let settings: Settings
    let logger: Logger
    private let meter: QueueMeter
    var ownership: Ownership?
    /// The standby's session: asking whether the queue is free costs one statement, not a connection.
    var standbySession: Session?
    /// A move whose target is no more; written down at the next take-over.
    var failedMove: (number: Int32, reason: String)?
    private var lastAttempt: ContinuousClock.Instant?
    private var lastRequest = ContinuousClock.now
    private var waiting: [QueueRequest.Receive] = []
    /// Receives that were given messages in this round, until its commit.
    private var received: [QueueRequest.Receive] = []

    struct Ownership {
        let session: Session
        let epoch: Int64
        var queue: QueueDescription
        /// The main source first, then the moved messages, then the replays under way, the oldest first.
        var sources: [MessageSource]
        var renewed: ContinuousClock.Instant
        var attempts = ReceiveAttempts()
        var move: MoveProgress?
        let clock: SteadyClock
    }

    init(queue: QueueReference, inbox: QueueInbox, settings: Settings, logger: Logger) {
        self.queue = queue
        self.inbox = inbox
        self.settings = settings
        self.logger = logger
        meter = QueueMeter(settings.metrics, queue)
    }

    /// Serves until the inbox is closed, the queue is deleted, or nobody wants anything any more. Blocks its thread.
    func run() {
        while !inbox.isClosed {
            guard ownership != nil || mayTakeOver() else {
                let requests = inbox.take(waitingAtMost: settings.standby.microseconds)
                refuse(requests, .notOwner)
                if requests.isEmpty, isIdle, inbox.closeIfEmpty() { break }
                continue
            }
            let requests = inbox.take(waitingAtMost: waitingTime)
            if requests.contains(where: \.isUse) { lastRequest = .now }
            do {
                try serve(requests)
            } catch {
                logger.notice("the queue is given up", metadata: ["queue": "\(queue.name)", "error": "\(error)"])
                drop()
            }
            if isIdle, inbox.closeIfEmpty() { break }
        }
        inbox.close()
        refuse(inbox.take(waitingAtMost: 0), .shuttingDown)
        refuse(waiting.map(QueueRequest.receive), .shuttingDown)
        leave()
    }

    private var isIdle: Bool {
        if ownership?.queue.isDeleted == true { return true }
        guard let limit = settings.idleLimit, waiting.isEmpty, ownership?.move == nil else { return false }
        return ContinuousClock.now - lastRequest > limit
    }

    /// One round: inputs, journal, commit, answers.
    private func serve(_ requests: [QueueRequest]) throws {
        // Taken out, not copied: with a second reference every round would copy the whole state.
        guard var owned = ownership.take() else { return }
        let now = owned.clock.microseconds
        for index in owned.sources.indices { owned.sources[index].state.advance(to: now) }
        var round = Round()
        for request in requests { take(request, into: &round, of: &owned, now: now) }
        give(from: &owned, now: now, to: &round)
        owned.takeForMove(&round, now: now)
        do {
            try commit(&owned, &round)
        } catch {
            // Who was deposed knows that nothing was done; of a lost connection nobody knows.
            let reason: QueueError = (error as? PostgresError)?.sqlState == .queueDeposed ? .notOwner : .unavailable
            refuse(requests.filter { if case .receive = $0 { false } else { true } }, reason)
            for receive in received { receive.reply.resume(returning: .failure(reason)) }
            received = []
            owned.session.close()
            if (error as? PostgresError)?.sqlState == .moveRefused, let move = owned.move {
                failedMove = (move.task.number, "\(error)")
            }
            throw error
        }
        received = []
        ownership = owned
        meter.count(round.tally)
        for answer in round.answers { answer() }
        // What was just read may serve those who still wait, or the move; a filter may find something further on.
        let wantsMore = !waiting.isEmpty || owned.move != nil
        if wantsMore, owned.sources.contains(where: { $0.state.readyCount > 0 || $0.isBehind }) { inbox.wake() }
    }

    private func take(_ request: QueueRequest, into round: inout Round, of owned: inout Ownership, now: Int64) {
        switch request {
        case .receive(let receive):
            if waiting.count < settings.waitingLimit {
                waiting.append(receive)
            } else {
                receive.reply.resume(returning: .failure(.overloaded))
            }
        case .delete(let handles, let reply):
            let outcomes = handles.map { owned.delete($0, now: now) }
            round.tally.deleted += outcomes.count { $0 == .done }
            round.answers.append { reply.resume(returning: .success(outcomes)) }
        case .changeVisibility(let changes, let reply):
            let outcomes = changes.map { owned.make($0, now: now) }
            round.answers.append { reply.resume(returning: .success(outcomes)) }
        case .send(let messages, let reply): round.sends.append((messages, reply))
        case .count(let reply): round.counts.append(reply)
        case .level(let reply): round.levels.append(reply)
        case .refresh: round.refreshes = true
        }
    }

    /// Gives messages to those who wait, first come first served; who has waited long enough gets none.
    private func give(from owned: inout Ownership, now: Int64, to round: inout Round) {
        guard !waiting.isEmpty else { return }
        let instant = ContinuousClock.now
        var still: [QueueRequest.Receive] = []
        for receive in waiting {
            if owned.isFull {
                receive.reply.resume(returning: .failure(.inFlightLimit))
                continue
            }
            let messages = owned.hasReady || receive.attempt != nil ? owned.receive(receive, now: now) : []
            if messages.isEmpty, receive.deadline > instant {
                still.append(receive)
                continue
            }
            received.append(receive)
            round.tally.received += messages.count
            round.answers.append { receive.reply.resume(returning: .success(messages)) }
        }
        waiting = still
    }

    /// How long the thread may sleep, in microseconds.
    private var waitingTime: Int64 {
        guard let owned = ownership else { return settings.standby.microseconds }
        var time = owned.queue.settings.events == nil ? settings.renewal.microseconds : settings.poll.microseconds
        if let timer = owned.sources.compactMap(\.state.nextTimer).min() {
            time = min(time, max(0, timer - owned.clock.microseconds))
        }
        if let soonest = waiting.map(\.deadline).min() {
            time = min(time, max(0, (soonest - ContinuousClock.now).microseconds))
        }
        if let move = owned.move { time = min(time, move.pause.microseconds) }
        return time
    }

    /// Tries to take the queue over, at most once an interval however many requests come meanwhile.
    private func mayTakeOver() -> Bool {
        if let lastAttempt, ContinuousClock.now - lastAttempt < settings.standby { return false }
        lastAttempt = .now
        return takeOver()
    }

    private func refuse(_ requests: [QueueRequest], _ error: QueueError) {
        for request in requests { request.refuse(error) }
    }

    /// Forgets the state; those who wait are told.
    private func drop() {
        inbox.isOwner.store(false, ordering: .relaxed)
        ownership?.session.close()
        ownership = nil
        refuse(waiting.map(QueueRequest.receive), .notOwner)
        waiting = []
        lastAttempt = nil
    }
}

extension QueueDispatcher {
    /// What one round does besides the journals.
    struct Round {
        var sends: [(messages: [NewMessage], reply: QueueRequest.Reply<[SentMessage]>)] = []
        var counts: [QueueRequest.Reply<QueueCounts>] = []
        var levels: [QueueRequest.Reply<QueueLevel>] = []
        var tally = QueueMeter.Tally()
        /// The queue's row is to be read.
        var refreshes = false
        /// Numbers of messages that move to another queue in this batch.
        var moved: [Int64] = []
        /// To be run after the commit.
        var answers: [() -> Void] = []
    }
}

extension SQLState {
    /// The caller no longer owns the queue.
    static let queueDeposed: SQLState = "RS005"
    /// A queue that messages should move to does not exist, or takes only events that died in it.
    static let moveRefused: SQLState = "RS010"
}

/// A clock as it was at a take-over, going on steadily: it may step, a message's time may not. A queue's is the database's,
/// so that it makes no difference whose turn it is to own the queue.
struct SteadyClock {
    private let start: Int64
    private let instant = ContinuousClock.now

    /// - Parameter start: microseconds since the Unix epoch.
    init(start: Int64 = Timestamp.now().microseconds) { self.start = start }

    /// Microseconds since the Unix epoch.
    var microseconds: Int64 { start + (ContinuousClock.now - instant).microseconds }
}

extension Duration {
    var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
