import Hummingbird
import NIOCore
import Synchronization

/// The memory for requests to queues: who sent them is proven only once their bodies are there, so that all of them
/// together are bounded.
final class QueueBodies: Sendable {
    private let limitBytes: Int
    private let heldBytes = Atomic<Int>(0)

    init(limitBytes: Int) { self.limitBytes = limitBytes }

    /// False when so many more are too many; whoever took some must give them back.
    fileprivate func take(_ count: Int) -> Bool {
        let held = heldBytes.wrappingAdd(count, ordering: .relaxed).newValue
        if held > limitBytes { give(count) }
        return held <= limitBytes
    }

    fileprivate func give(_ count: Int) { heldBytes.wrappingSubtract(count, ordering: .relaxed) }
}

/// One request's body, as it was signed; it counts among all of them for as long as it is held.
final class QueueBody: Sendable {
    private struct State {
        var bytes: ByteBuffer?
        var countedBytes = 0
        var isRefused = false
    }

    private struct TooMany: Error {}

    private let all: QueueBodies
    private let state = Mutex(State())
    /// What a long poll may keep for the case that its queue gets another owner.
    private static let shortBytes = 4 << 10

    init(among all: QueueBodies) { self.all = all }

    deinit { all.give(state.withLock(\.countedBytes)) }

    /// Nil before it came, and once it was dropped.
    var bytes: ByteBuffer? { state.withLock(\.bytes) }

    /// There were too many bytes under way for the rest of it.
    var isRefused: Bool { state.withLock(\.isRefused) }

    /// The same, each piece counted as it comes; it ends with an error when there is no room for more.
    func counting(_ body: RequestBody) -> RequestBody {
        RequestBody(
            asyncSequence: body.map { piece in
                try self.count(piece.readableBytes)
                return piece
            }
        )
    }

    func keep(_ bytes: ByteBuffer) { state.withLock { $0.bytes = bytes } }

    /// Lets go of it if it is long: who waits for messages holds no more than needs be.
    func dropIfLong() {
        let freed = state.withLock { state in
            guard state.countedBytes > Self.shortBytes else { return 0 }
            defer { (state.bytes, state.countedBytes) = (nil, 0) }
            return state.countedBytes
        }
        all.give(freed)
    }

    private func count(_ bytes: Int) throws {
        let isTaken = all.take(bytes)
        state.withLock { state in
            if isTaken { state.countedBytes += bytes } else { state.isRefused = true }
        }
        if !isTaken { throw TooMany() }
    }
}
