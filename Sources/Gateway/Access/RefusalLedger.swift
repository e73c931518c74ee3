import Catalog
package import EventLog
import HTTPTypes
package import Logging
import ServiceLifecycle
import Synchronization

/// Records refusals of known users, up to the limit, and what was turned away beyond it.
///
/// Run it as a service: it writes one THROTTLED event for each window in which somebody was turned away.
package final class RefusalLedger: Service {
    private let log: EventLog
    private let logger: Logger
    private let limiter: Mutex<RefusalLimiter>
    /// How often ended windows are looked for.
    private static let interval: Duration = .seconds(1)

    package init(log: EventLog, limiter: RefusalLimiter = RefusalLimiter(), logger: Logger) {
        self.log = log
        self.logger = logger
        self.limiter = Mutex(limiter)
    }

    /// - Throws: `too-many-refusals` when the caller had too many in the last minute.
    func check(_ caller: Caller) throws(Problem) {
        let wait = limiter.withLock { limiter in limiter.isEmpty ? nil : limiter.turnAway(caller, at: .now) }
        if let wait { throw Self.tooMany(wait) }
    }

    /// Records that a known user was refused for want of a scope.
    ///
    /// - Returns: the DENIED event's position.
    /// - Throws: `Problem` when there were too many, or `CommitError`.
    func deny(_ denial: Denial, context: EventContext) async throws -> Int64? {
        if let wait = limiter.withLock({ $0.refuse(context.caller, at: .now) }) { throw Self.tooMany(wait) }
        return try await log.submit(.note(denial.note), context: context).position
    }

    /// Counts a NOT_FOUND that the log has recorded.
    func countNotFound(by caller: Caller) { limiter.withLock { $0.count(caller, at: .now) } }

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                try? await Task.sleep(for: Self.interval)
                await self.report(at: .now)
            }
        }
        // Nobody will be there to see the running windows end.
        await report(at: .now + .seconds(3_600))
    }

    /// Writes the THROTTLED events of the windows that are over.
    package func report(at now: ContinuousClock.Instant) async {
        for report in limiter.withLock({ $0.takeReports(at: now) }) {
            var data = JSONWriter(reserving: 32)
            data.beginObject()
            data.member("count", report.count)
            data.endObject()
            let context = EventContext(
                caller: report.caller,
                requestID: .generated(UUIDv7()),
                trace: nil,
                via: .system
            )
            do {
                _ = try await log.submit(.note(Note(type: .throttled, data: data.bytes)), context: context)
            } catch {
                logger.warning("a THROTTLED event was not recorded", metadata: ["error": "\(error)"])
            }
        }
    }

    private static func tooMany(_ wait: Duration) -> Problem {
        let seconds = wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0)
        return Problem(
            .tooManyRefusals,
            "more than 600 refusals in a minute; wait \(seconds) s",
            headers: [.retryAfter: String(seconds)]
        )
    }
}

/// A refusal for want of a scope.
struct Denial: Sendable {
    let method: String
    /// The route's pattern, never the path itself: paths may hold user ids.
    let route: String
    let scope: Scope
    /// The product that was named, if one was.
    let path: PathID?

    var note: Note {
        var data = JSONWriter(reserving: 96)
        data.beginObject()
        data.member("method", method)
        data.member("route", route)
        data.member("scope", scope.rawValue)
        data.endObject()
        return switch path {
        case .id(let id): Note(type: .denied, productID: id, data: data.bytes)
        case .beyondRange(let number): Note(type: .denied, beyondRange: number, data: data.bytes)
        case nil: Note(type: .denied, data: data.bytes)
        }
    }
}
