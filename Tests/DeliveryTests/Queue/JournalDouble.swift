@testable import Delivery

/// The database as a queue's owner sees it: an append-only log and the journal's rows, in memory.
struct JournalDouble {
    struct Message {
        let position: Int64
        let group: Int64
    }

    struct Broken: Error, CustomStringConvertible {
        let description: String
    }

    private(set) var log: [Message] = []
    private(set) var epoch = 0
    private(set) var leases: [Int64: QueueJournal.Lease] = [:]
    private(set) var pending: [Int64: Int64] = [:]
    private(set) var deadLetters: [QueueJournal.DeadLetter] = []
    private var usedLeases: Set<Int64> = []

    var head: Int64 { Int64(log.count) }
    var unfinishedLeaseCount: Int { leases.values.count { $0.gone != (1 << UInt32($0.entries.count)) - 1 } }

    mutating func append(group: Int64) -> Int64 {
        log.append(Message(position: head + 1, group: group))
        return head
    }

    func scan(after position: Int64, limit: Int) -> ArraySlice<Message> {
        log[min(Int(position), log.count)...].prefix(limit)
    }

    func messages(_ request: QueueState.RefillRequest) -> [QueueState.FreshMessage] {
        let asked = log.lazy.filter {
            $0.group == request.group && $0.position >= request.from && $0.position <= request.through
        }
        return asked.prefix(request.limit).map { QueueState.FreshMessage(position: $0.position) }
    }

    /// A new owner.
    mutating func takeOver() -> Int {
        epoch += 1
        return epoch
    }

    func recoveredState(settings: QueueState.Settings, maxReceiveCount: Int?, now: Int64) -> QueueState {
        QueueState(
            settings: settings,
            maxReceiveCount: maxReceiveCount,
            leases: leases.values.sorted { $0.id < $1.id },
            pending: pending.map { QueueJournal.Pending(from: $0.key, group: $0.value) },
            now: now
        )
    }

    /// Writes all or, for an owner who was deposed, nothing (false). Throws what a table's constraints would.
    mutating func commit(_ journal: QueueJournal, epoch: Int) throws -> Bool {
        guard epoch == self.epoch else { return false }
        for lease in journal.insertedLeases {
            guard usedLeases.insert(lease.id).inserted else {
                throw Broken(description: "lease \(lease.id) used twice")
            }
            guard lease.entries.count <= QueueState.leaseCapacity else { throw Broken(description: "too many entries") }
            leases[lease.id] = lease
        }
        for lease in journal.changedLeases {
            guard let row = leases[lease.id] else { throw Broken(description: "no lease \(lease.id) to change") }
            leases[lease.id] = QueueJournal.Lease(id: row.id, low: row.low, entries: lease.entries, gone: lease.gone)
        }
        for mark in journal.goneMarks {
            guard let row = leases[mark.lease] else { throw Broken(description: "no lease \(mark.lease) to mark") }
            leases[mark.lease] = QueueJournal.Lease(id: row.id, low: row.low, entries: row.entries, gone: mark.gone)
        }
        for id in journal.deletedLeases {
            guard leases.removeValue(forKey: id) != nil else { throw Broken(description: "no lease \(id) to delete") }
        }
        for from in journal.deletedPending {
            guard pending.removeValue(forKey: from) != nil else { throw Broken(description: "no pending \(from)") }
        }
        for row in journal.insertedPending {
            guard pending.updateValue(row.group, forKey: row.from) == nil else {
                throw Broken(description: "pending \(row.from) twice")
            }
        }
        deadLetters += journal.deadLetters
        return true
    }
}
