package import Catalog
package import EventLog

/// Counts the refusals (DENIED and NOT_FOUND) of each user and each key, and says who had too many. Pure: the time is
/// handed in.
///
/// A subject's window begins with its first refusal and lasts a minute. Within it `limit` refusals are recorded; after
/// that the subject's requests are turned away, and their number is reported once when the window is over.
package struct RefusalLimiter: Sendable {
    package typealias Instant = ContinuousClock.Instant

    package enum Subject: Sendable, Hashable {
        case user(UserID)
        case key(Int32)
    }

    /// What is to be recorded about a window that is over.
    package struct Report: Sendable {
        /// Whose request was the first that was turned away.
        package let caller: Caller
        /// How many were turned away.
        package let count: Int
    }

    private struct Window {
        let endsAt: Instant
        var refusals = 0
        var turnedAway = 0
        var firstTurnedAway: Caller?
    }

    private let limit: Int
    private let length: Duration
    private let subjectLimit: Int
    private var windows: [Subject: Window] = [:]

    /// - Parameter subjectLimit: how many subjects are watched at once, so that memory stays bounded; beyond that new
    ///   ones are not watched until windows have ended. A key's end users are many, the key itself is watched early.
    package init(limit: Int = 600, length: Duration = .seconds(60), subjectLimit: Int = 100_000) {
        self.limit = limit
        self.length = length
        self.subjectLimit = subjectLimit
    }

    /// Whether nobody is watched: then there is nothing to ask and nothing to report.
    package var isEmpty: Bool { windows.isEmpty }

    /// How long the caller must wait; nil lets the request pass. Turning away is counted.
    package mutating func turnAway(_ caller: Caller, at now: Instant) -> Duration? {
        for subject in Self.subjects(caller) {
            guard var window = windows[subject], window.endsAt > now, window.refusals >= limit else { continue }
            window.turnedAway += 1
            if window.firstTurnedAway == nil { window.firstTurnedAway = caller }
            windows[subject] = window
            return window.endsAt - now
        }
        return nil
    }

    /// Counts a refusal that is to be recorded, or says how long the caller must wait because there were too many.
    package mutating func refuse(_ caller: Caller, at now: Instant) -> Duration? {
        if let wait = turnAway(caller, at: now) { return wait }
        count(caller, at: now)
        return nil
    }

    /// Counts a refusal that was recorded.
    package mutating func count(_ caller: Caller, at now: Instant) {
        for subject in Self.subjects(caller) {
            if let window = windows[subject], window.endsAt > now {
                windows[subject]?.refusals += 1
            } else if windows[subject]?.turnedAway ?? 0 == 0, windows[subject] != nil || windows.count < subjectLimit {
                windows[subject] = Window(endsAt: now + length, refusals: 1)
            }
        }
    }

    /// Takes the windows that are over; each is reported once.
    package mutating func takeReports(at now: Instant) -> [Report] {
        guard !windows.isEmpty else { return [] }
        var reports: [Report] = []
        windows = windows.filter { _, window in
            guard window.endsAt <= now else { return true }
            if let caller = window.firstTurnedAway {
                reports.append(Report(caller: caller, count: window.turnedAway))
            }
            return false
        }
        return reports
    }

    private static func subjects(_ caller: Caller) -> [Subject] {
        var subjects: [Subject] = [.user(caller.userID)]
        if let client = caller.client { subjects.append(.key(client.number)) }
        return subjects
    }
}
