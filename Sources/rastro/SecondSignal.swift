import Dispatch
import Foundation
import Synchronization

/// The first SIGTERM or SIGINT ends the server gracefully; a second one ends it at once.
enum SecondSignal {
    private static let seen = Atomic<Int>(0)
    // Safe: made once by the static's own lock, and never touched again; it only keeps the sources alive.
    private nonisolated(unsafe) static let sources: [any DispatchSourceSignal] = [SIGTERM, SIGINT].map { number in
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler {
            if seen.add(1, ordering: .relaxed).newValue >= 2 { Foundation._exit(1) }
        }
        source.resume()
        return source
    }

    static func exitAtOnce() { _ = sources }
}
