/// A move out of this queue, as its owner carries it out.
struct MoveProgress {
    let task: MoveTask
    private var moved: Int64
    private let start = ContinuousClock.now
    /// Since this owner began.
    private var taken = 0
    var isOver = false

    init(_ task: MoveTask) {
        self.task = task
        moved = task.moved
    }

    var isComplete: Bool { moved >= task.total }

    /// How many messages may be moved now.
    var allowance: Int {
        let rest = Int(task.total - moved)
        guard let perSecond = task.perSecond else { return rest }
        let due = Int((ContinuousClock.now - start) / .milliseconds(1) * Double(perSecond) / 1_000) + 1
        return max(0, min(rest, due - taken))
    }

    mutating func take(_ count: Int) {
        taken += count
        moved += Int64(count)
    }

    /// Until there is something to do again.
    var pause: Duration {
        if isOver { return .zero }
        guard let perSecond = task.perSecond else { return .milliseconds(50) }
        return allowance > 0 ? .milliseconds(50) : .milliseconds(max(1, 1_000 / perSecond))
    }
}
