import Catalog
import Testing

@testable import EventLog

/// What must hold of every log, whatever was done to it.
extension TestLog {
    /// Positions are 1 … n, time grows strictly, each product's versions are 1 … n, FETCHED shows the version that stood
    /// and the projection is the fold of the log.
    func checkLog(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let events = try events()
        #expect(events.map(\.position) == (0..<events.count).map { Int64($0 + 1) }, sourceLocation: sourceLocation)
        let unordered = zip(events, events.dropFirst()).filter { $0.recordedAt >= $1.recordedAt }
        #expect(unordered.isEmpty, "recorded_at does not grow", sourceLocation: sourceLocation)
        var versions: [Int64: Int64] = [:]
        for event in events {
            guard let id = event.productID else { continue }
            switch event.type {
            case .created, .updated, .deleted, .expired:
                #expect(event.version == versions[id, default: 0] + 1, "\(event)", sourceLocation: sourceLocation)
                versions[id] = event.version
            case .fetched:
                #expect(event.version == versions[id], "\(event)", sourceLocation: sourceLocation)
            default: break
            }
        }
        #expect(try drift().isEmpty, sourceLocation: sourceLocation)
    }

    /// Where the projection and the fold of the log differ.
    func drift() throws -> [ProjectionWalk.Drift] {
        try asServing { session in
            var drift: [ProjectionWalk.Drift] = []
            try ProjectionWalk(session: session).forEachPage { page in
                #expect(page.faults.isEmpty)
                drift += page.drift
            }
            return drift
        }
    }
}
