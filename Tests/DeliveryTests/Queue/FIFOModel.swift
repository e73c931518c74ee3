@testable import Delivery

/// The FIFO rule, as simply as it can be said: every group's outstanding messages in order, nothing else.
struct FIFOModel {
    struct Message {
        let position: Int64
        var receiveCount = 0
        var until: Int64 = 0
        var handle: ReceiptHandle?
        var isGivenBack = false
    }

    struct Disagreement: Error, CustomStringConvertible {
        let description: String
    }

    var maxReceiveCount: Int?
    private(set) var groups: [Int64: [Message]] = [:]

    var outstandingCount: Int { groups.values.reduce(0) { $0 + $1.count } }

    mutating func send(_ position: Int64, group: Int64) {
        groups[group, default: []].append(Message(position: position))
    }

    /// Judges what a receive gave, and takes it over.
    ///
    /// - Parameters:
    ///   - isKnown: Whether the queue can give this message by now: it was scanned, and no refill of its group is due.
    mutating func receive(
        _ given: [QueueState.ReceivedMessage],
        deadLetters: [QueueJournal.DeadLetter],
        max: Int,
        visibilityTimeout: Int64,
        now: Int64,
        isKnown: (Message, _ group: Int64) -> Bool
    ) throws {
        guard given.count <= max else { throw Disagreement(description: "\(given.count) given, \(max) asked") }
        for letter in deadLetters { try bury(letter, now: now) }
        try requireOrder(given, now: now)
        try requireDraining(given, max: max, now: now, isKnown: isKnown)
        if given.count < max && (visibilityTimeout > 0 || given.isEmpty) {
            try requireNothingHidden(given, now: now, isKnown: isKnown)
        }
        for message in given {
            guard let place = place(of: message.handle.position, in: message.handle.group) else { continue }
            groups[message.handle.group]?[place].receiveCount = message.receiveCount
            groups[message.handle.group]?[place].until = now + visibilityTimeout
            groups[message.handle.group]?[place].handle = message.handle
            groups[message.handle.group]?[place].isGivenBack = false
        }
    }

    mutating func delete(_ handle: ReceiptHandle, now: Int64) -> QueueState.HandleOutcome {
        guard let place = place(of: handle.position, in: handle.group) else { return .done }
        guard isInFlight(handle, at: place, now: now) else { return .expired }
        groups[handle.group]?.remove(at: place)
        return .done
    }

    mutating func changeVisibility(_ handle: ReceiptHandle, to until: Int64, now: Int64) -> QueueState.HandleOutcome {
        guard let place = place(of: handle.position, in: handle.group) else { return .unknown }
        guard isInFlight(handle, at: place, now: now) else { return .expired }
        groups[handle.group]?[place].until = until
        return .done
    }

    mutating func giveBack(_ handle: ReceiptHandle) -> QueueState.HandleOutcome {
        guard let place = place(of: handle.position, in: handle.group) else { return .unknown }
        guard let message = groups[handle.group]?[place], message.handle == handle else { return .expired }
        if !message.isGivenBack {
            groups[handle.group]?[place].receiveCount -= 1
            groups[handle.group]?[place].until = 0
            groups[handle.group]?[place].isGivenBack = true
        }
        return .done
    }

    private func messages(_ group: Int64) -> [Message] { groups[group] ?? [] }

    private func place(of position: Int64, in group: Int64) -> Int? {
        messages(group).firstIndex { $0.position == position }
    }

    private func isInFlight(_ handle: ReceiptHandle, at place: Int, now: Int64) -> Bool {
        let message = messages(handle.group)[place]
        return message.handle == handle && message.until > now
    }

    private mutating func bury(_ letter: QueueJournal.DeadLetter, now: Int64) throws {
        guard let maxReceiveCount, let place = place(of: letter.position, in: letter.group) else {
            throw Disagreement(description: "\(letter) dead-lettered though not outstanding")
        }
        let front = messages(letter.group)[...place]
        guard front.allSatisfy({ $0.until <= now }), front[place].receiveCount >= maxReceiveCount else {
            throw Disagreement(description: "\(letter) dead-lettered before its time")
        }
        groups[letter.group]?.remove(at: place)
    }

    /// Each group's messages are its front, all visible, and come together.
    private func requireOrder(_ given: [QueueState.ReceivedMessage], now: Int64) throws {
        var next: [Int64: Int] = [:]
        var previous: Int64?
        for message in given {
            let group = message.handle.group
            if group != previous && next[group] != nil {
                throw Disagreement(description: "group \(group) was left and begun again")
            }
            previous = group
            let place = next[group, default: 0]
            next[group] = place + 1
            let outstanding = messages(group)
            guard place < outstanding.count, outstanding[place].position == message.handle.position else {
                throw Disagreement(description: "\(message) is not number \(place) of its group")
            }
            guard outstanding[place].until <= now else { throw Disagreement(description: "\(message) is in flight") }
            guard outstanding[place].receiveCount + 1 == message.receiveCount else {
                throw Disagreement(description: "\(message) has a wrong count")
            }
            if let maxReceiveCount, message.receiveCount > maxReceiveCount {
                throw Disagreement(description: "\(message) should be a dead letter")
            }
        }
    }

    /// Only the last group may be cut, and only by `max`.
    private func requireDraining(
        _ given: [QueueState.ReceivedMessage],
        max: Int,
        now: Int64,
        isKnown: (Message, Int64) -> Bool
    ) throws {
        for group in Set(given.map(\.handle.group)) {
            let outstanding = messages(group)
            let count = given.count { $0.handle.group == group }
            guard count < outstanding.count else { continue }
            let next = outstanding[count]
            guard next.until <= now, isKnown(next, group) else { continue }
            guard group == given.last?.handle.group, given.count == max else {
                throw Disagreement(description: "group \(group) was not drained: \(next) remains")
            }
        }
    }

    private func requireNothingHidden(
        _ given: [QueueState.ReceivedMessage],
        now: Int64,
        isKnown: (Message, Int64) -> Bool
    ) throws {
        let givenGroups = Set(given.map(\.handle.group))
        for (group, outstanding) in groups where !givenGroups.contains(group) {
            guard let first = outstanding.first, isKnown(first, group) else { continue }
            guard first.until > now else {
                throw Disagreement(description: "\(first) of group \(group) is visible and was not given")
            }
        }
    }
}
