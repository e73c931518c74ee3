/// Who has which connection of a pool, and who waits: a pure state machine. Each input returns what is to be done,
/// outside the lock.
///
/// A connection is *unstarted*, *idle* or *leased*; it goes back to idle or straight to the waiter that came first.
/// A waiter is *announced* (it may be abandoned before it asks), then *waiting*, then gone.
struct PoolState: Sendable {
    typealias ConnectionID = Int

    struct WaiterID: Hashable, Sendable {
        fileprivate let number: UInt64
    }

    enum Rejection: Sendable, Hashable {
        case queueFull, shutdown, abandoned
    }

    enum LeaseAction: Sendable, Hashable {
        case lease(ConnectionID)
        case wait
        case reject(Rejection)
    }

    enum ReleaseAction: Sendable, Hashable {
        case park
        case hand(to: WaiterID)
    }

    let size: Int
    let waitingLimit: Int
    private(set) var isShutDown = false
    private(set) var startedCount = 0
    private(set) var leased: Set<ConnectionID> = []
    /// The one used last is at the end and is taken first, so that a quiet pool needs few connections.
    private(set) var idle: [ConnectionID] = []
    private var announced: Set<WaiterID> = []
    private var abandoned: Set<WaiterID> = []
    private var waiting: Set<WaiterID> = []
    /// Waiters in order of arrival from `queueHead` on, with some that no longer wait.
    private var queue: [WaiterID] = []
    private var queueHead = 0
    private var lastNumber: UInt64 = 0

    init(size: Int, waitingLimit: Int) {
        self.size = max(1, size)
        self.waitingLimit = max(0, waitingLimit)
    }

    var waitingCount: Int { waiting.count }

    /// A connection that is free right now.
    mutating func leaseAtOnce() -> ConnectionID? {
        guard !isShutDown else { return nil }
        let free: ConnectionID
        if let last = idle.popLast() {
            free = last
        } else {
            guard startedCount < size else { return nil }
            free = startedCount
            startedCount += 1
        }
        leased.insert(free)
        return free
    }

    /// A name for somebody who is about to ask.
    mutating func announce() -> WaiterID {
        lastNumber += 1
        let waiter = WaiterID(number: lastNumber)
        announced.insert(waiter)
        return waiter
    }

    /// An announced waiter asks for a connection.
    mutating func lease(_ waiter: WaiterID) -> LeaseAction {
        announced.remove(waiter)
        if abandoned.remove(waiter) != nil { return .reject(.abandoned) }
        if isShutDown { return .reject(.shutdown) }
        if let connection = leaseAtOnce() { return .lease(connection) }
        guard waiting.count < waitingLimit else { return .reject(.queueFull) }
        waiting.insert(waiter)
        queue.append(waiter)
        return .wait
    }

    /// A waiter gives up (cancelled, or its time is over). True if it was waiting and must be told.
    mutating func abandon(_ waiter: WaiterID) -> Bool {
        if announced.remove(waiter) != nil {
            abandoned.insert(waiter)
            return false
        }
        return waiting.remove(waiter) != nil
    }

    /// A leased connection comes back.
    mutating func release(_ connection: ConnectionID) -> ReleaseAction {
        if let next = nextWaiter() { return .hand(to: next) }
        leased.remove(connection)
        idle.append(connection)
        return .park
    }

    /// From now on nobody gets a connection. Returns those who wait, to be told.
    mutating func shutdown() -> [WaiterID] {
        isShutDown = true
        defer {
            waiting = []
            queue = []
            queueHead = 0
        }
        return queue[queueHead...].filter { waiting.contains($0) }
    }

    private mutating func nextWaiter() -> WaiterID? {
        while queueHead < queue.count {
            let waiter = queue[queueHead]
            queueHead += 1
            if queueHead > 64, queueHead * 2 > queue.count {
                queue.removeFirst(queueHead)
                queueHead = 0
            }
            if waiting.remove(waiter) != nil { return waiter }
        }
        queue.removeAll(keepingCapacity: true)
        queueHead = 0
        return nil
    }
}
