import ServiceLifecycle
import Synchronization

/// A reading that many may ask for and that is made at most once at a time, and not again while it is fresh: however many
/// ask, its source has one reader.
///
/// Run it as a service: the reading is made there, so whoever asks waits no longer than the patience allows, even when
/// the source does not answer.
final class SharedReading<Value: Sendable>: Service {
    private struct State {
        var last: (value: Value?, readAt: ContinuousClock.Instant)?
        var waiters: [Int: AsyncStream<Value?>.Continuation] = [:]
        var nextWaiter = 0
    }

    private let lifetime: Duration
    private let patience: Duration
    private let read: @Sendable () async -> Value?
    private let state = Mutex(State())
    private let demand = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))

    /// - Parameters:
    ///   - lifetime: how long a reading is fresh, a failed one too.
    ///   - patience: how long one is waited for.
    ///   - read: nil when there is no reading.
    init(
        lifetime: Duration = .seconds(1),
        patience: Duration = .seconds(2),
        read: @escaping @Sendable () async -> Value?
    ) {
        self.lifetime = lifetime
        self.patience = patience
        self.read = read
    }

    func run() async {
        await cancelWhenGracefulShutdown {
            for await _ in self.demand.stream where self.isWanted { self.publish(await self.read()) }
        }
    }

    /// The reading, at most `lifetime` old; nil when there is none or the patience is over.
    func value() async -> Value? {
        let (stream, continuation) = AsyncStream.makeStream(of: Value?.self)
        let (fresh, id) = state.withLock { state -> (Value??, Int) in
            if let last = state.last, .now - last.readAt < lifetime { return (.some(last.value), 0) }
            state.nextWaiter += 1
            state.waiters[state.nextWaiter] = continuation
            return (nil, state.nextWaiter)
        }
        if let fresh { return fresh }
        demand.continuation.yield()
        let value = await withTaskGroup(of: Value?.self) { group in
            group.addTask {
                for await value in stream { return value }
                return nil
            }
            group.addTask { [patience] in
                try? await Task.sleep(for: patience)
                return nil
            }
            defer { group.cancelAll() }
            return await group.next() ?? nil
        }
        state.withLock { _ = $0.waiters.removeValue(forKey: id) }
        return value
    }

    private var isWanted: Bool { state.withLock { !$0.waiters.isEmpty } }

    private func publish(_ value: Value?) {
        let waiters = state.withLock { state in
            state.last = (value, .now)
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.yield(value) }
    }
}
