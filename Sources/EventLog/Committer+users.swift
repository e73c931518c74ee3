import Catalog
import LibPQ

/// Users are resolved inside the batch, under the head's lock, so nobody goes on writing as somebody who was erased.
extension Committer {
    struct People {
        var numbers: [UserID: Int32] = [:]
        /// Users seen for the first time, in order, with the request that brought each.
        var registered: [(context: RequestContext, number: Int32)] = []
    }

    /// The number of every caller; registers those that are new, all in one round trip.
    ///
    /// - Parameter requests: of callers whose key serves: nobody else becomes a user.
    func resolve(_ requests: [RequestContext], found: [UserID: Int32], session: Session) throws -> People {
        var people = People(numbers: found)
        var newcomers: [RequestContext] = []
        var seen: Set<UserID> = []
        for request in requests where found[request.caller.userID] == nil {
            if seen.insert(request.caller.userID).inserted { newcomers.append(request) }
        }
        let numbers = try register(newcomers.map(\.caller.userID), session: session)
        for newcomer in newcomers {
            guard let number = numbers[newcomer.caller.userID] else { throw BatchFault.unregistered }
            people.numbers[newcomer.caller.userID] = number
            people.registered.append((newcomer, number))
        }
        return people
    }

    /// Gives users numbers. They must be new, and the head locked.
    func register(_ users: [UserID], session: Session) throws -> [UserID: Int32] {
        guard !users.isEmpty else { return [:] }
        let commitments = users.map { ActorCommitment(userID: $0) }
        let parameters = Parameters()
            .textArray(users.map(\.description)).bytesArray(commitments.map(\.key))
            .bytesArray(commitments.map(\.actor))
        var numbers: [UserID: Int32] = [:]
        for row in try session.query(Statements.registerUsers, parameters) {
            if let userID = UserID(any: try row.text(0)) { numbers[userID] = try row.int32(1) }
        }
        return numbers
    }
}
