import Catalog
import LibPQ

/// Users are resolved inside the batch, under the head's lock, so nobody goes on writing as somebody who was erased.
extension Committer {
    struct People {
        var numbers: [UserID: Int32] = [:]
        /// Users seen for the first time, with the request that brought each.
        var registered: [(context: RequestContext, number: Int32)] = []
    }

    /// The number of every caller of a batch; registers those that are new.
    func resolve(
        _ batch: [PendingCommit],
        found: [UserID: Int32],
        session: Session,
        time: Timestamp
    ) throws -> People {
        var people = People()
        for pending in batch {
            let userID = pending.context.caller.userID
            if people.numbers[userID] != nil { continue }
            if let number = found[userID] {
                people.numbers[userID] = number
                continue
            }
            let number = try register(userID, session: session)
            people.numbers[userID] = number
            people.registered.append((pending.context, number))
        }
        return people
    }

    func register(_ userID: UserID, session: Session) throws -> Int32 {
        let commitment = ActorCommitment(userID: userID)
        let parameters = Parameters().text(userID.description).bytes(commitment.key).bytes(commitment.actor)
        return try session.query(Statements.registerUser, parameters).only().int32(0)
    }
}
