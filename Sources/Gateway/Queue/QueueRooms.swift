/// Where requests to queues wait: long polls, which are many and idle, take no place from the others.
struct QueueRooms: Sendable {
    let requests: WaitingRoom
    let polls: WaitingRoom
}

/// The place that one request holds.
struct QueuePlace: ~Copyable {
    private let rooms: QueueRooms
    private var isPoll = false

    /// Nil when too many requests wait.
    init?(in rooms: QueueRooms) {
        guard rooms.requests.enter() else { return nil }
        self.rooms = rooms
    }

    /// False when too many long polls wait; the old place is kept then.
    mutating func becomePoll() -> Bool {
        guard !isPoll else { return true }
        guard rooms.polls.enter() else { return false }
        rooms.requests.leave()
        isPoll = true
        return true
    }

    deinit { (isPoll ? rooms.polls : rooms.requests).leave() }
}
