import Testing

@testable import LibPQ

@Suite("The pool's state machine")
struct PoolStateTests {
    @Test("starts connections up to its size, then lets callers wait in order")
    func order() {
        var state = PoolState(size: 2, waitingLimit: 2)
        #expect(state.leaseAtOnce() == 0)
        #expect(state.leaseAtOnce() == 1)
        #expect(state.leaseAtOnce() == nil)
        let waiters = (0..<3).map { _ in state.announce() }
        #expect(state.lease(waiters[0]) == .wait)
        #expect(state.lease(waiters[1]) == .wait)
        #expect(state.lease(waiters[2]) == .reject(.queueFull))
        #expect(state.release(1) == .hand(to: waiters[0]))
        #expect(state.release(0) == .hand(to: waiters[1]))
        #expect(state.release(0) == .park)
        #expect(state.leaseAtOnce() == 0)
    }

    @Test("takes the connection that was used last")
    func lastUsedFirst() {
        var state = PoolState(size: 3, waitingLimit: 1)
        for _ in 0..<3 { _ = state.leaseAtOnce() }
        for connection in [0, 2, 1] { #expect(state.release(connection) == .park) }
        #expect(state.leaseAtOnce() == 1)
        #expect(state.leaseAtOnce() == 2)
    }

    @Test("a waiter may give up before it asks, while it waits, and after it was served")
    func abandon() {
        var state = PoolState(size: 1, waitingLimit: 5)
        _ = state.leaseAtOnce()
        let early = state.announce()
        #expect(state.abandon(early) == false)
        #expect(state.lease(early) == .reject(.abandoned))
        let waiting = state.announce()
        let next = state.announce()
        #expect(state.lease(waiting) == .wait)
        #expect(state.lease(next) == .wait)
        #expect(state.abandon(waiting) == true)
        #expect(state.abandon(waiting) == false, "once only")
        #expect(state.release(0) == .hand(to: next))
        #expect(state.abandon(next) == false, "served already")
        #expect(state.waitingCount == 0)
    }

    @Test("after shutdown nobody is served")
    func shutdown() {
        var state = PoolState(size: 1, waitingLimit: 5)
        _ = state.leaseAtOnce()
        let waiting = state.announce()
        let late = state.announce()
        #expect(state.lease(waiting) == .wait)
        #expect(state.shutdown() == [waiting])
        #expect(state.lease(late) == .reject(.shutdown))
        #expect(state.release(0) == .park)
        #expect(state.leaseAtOnce() == nil)
    }

    @Test("in random histories no connection is lent twice or lost, and nobody waits while one is free")
    func randomHistories() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(state: seed)
        for _ in 0..<50 {
            let size = Int.random(in: 1...4, using: &generator)
            var state = PoolState(size: size, waitingLimit: 6)
            var held: Set<Int> = []
            var waiting: [PoolState.WaiterID] = []
            for _ in 0..<400 {
                switch Int.random(in: 0..<4, using: &generator) {
                case 0, 1:
                    let waiter = state.announce()
                    switch state.lease(waiter) {
                    case .lease(let connection):
                        let isNew = held.insert(connection).inserted
                        #expect(isNew, "seed \(seed)")
                    case .wait: waiting.append(waiter)
                    case .reject(let reason): #expect(reason == .queueFull && waiting.count == 6, "seed \(seed)")
                    }
                case 2:
                    guard let connection = held.randomElement(using: &generator) else { continue }
                    switch state.release(connection) {
                    case .park: held.remove(connection)
                    case .hand(let waiter):
                        let first = waiting.removeFirst()
                        #expect(first == waiter, "seed \(seed)")
                    }
                default:
                    guard !waiting.isEmpty else { continue }
                    let index = Int.random(in: 0..<waiting.count, using: &generator)
                    let waiter = waiting.remove(at: index)
                    #expect(state.abandon(waiter) == true, "seed \(seed)")
                }
                #expect(state.leased == held, "seed \(seed)")
                #expect(waiting.isEmpty || held.count == size, "seed \(seed)")
                #expect(state.waitingCount == waiting.count, "seed \(seed)")
            }
        }
    }
}

@Suite("Backoff")
struct BackoffTests {
    @Test("doubles to its limit, shortened at random by up to half, and begins anew after success")
    func delays() {
        var backoff = Backoff()
        let now = ContinuousClock.now
        #expect(backoff.delay(at: now) == .zero)
        #expect(backoff.failed(at: now, random: 0) == Backoff.first)
        #expect(backoff.failed(at: now, random: 0) == Backoff.first * 2)
        #expect(backoff.failed(at: now, random: 0.5) == Backoff.first * 3)
        for _ in 0..<100 { backoff.failed(at: now, random: 0) }
        #expect(backoff.delay(at: now) == Backoff.longest)
        #expect(backoff.delay(at: now + Backoff.longest) == .zero)
        backoff.succeeded()
        #expect(backoff.failed(at: now, random: 0) == Backoff.first)
    }
}

@Suite("The thread executor")
struct ThreadExecutorTests {
    private actor Counter {
        nonisolated let executor = ThreadExecutor(name: "counter")
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        private(set) var value = 0

        func increment() -> Bool {
            value += 1
            return executor.isCurrent
        }
    }

    @Test("runs an actor's jobs one at a time on its thread, after stop() too")
    func jobs() async {
        let counter = Counter()
        for round in 1...3 {
            await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<500 { group.addTask { await counter.increment() } }
                for await onThread in group { #expect(onThread) }
            }
            #expect(await counter.value == 500 * round)
            counter.executor.stopAndWait()
        }
    }
}
