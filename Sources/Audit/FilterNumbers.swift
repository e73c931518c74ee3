import Catalog
import EventLog
import LibPQ

/// The numbers that a filter's users and API keys have in the log; those that it does not know are missing.
struct FilterNumbers: Sendable {
    var users: [UserID: Int32] = [:]
    var clients: [ExactText: Int32] = [:]

    static func read(_ session: Session, _ filter: EventFilter) throws -> FilterNumbers {
        var numbers = FilterNumbers()
        numbers.users = try findUsers(session, filter.users)
        if !filter.clients.isEmpty {
            for row in try session.query(Statements.auditFindClients, Parameters().textArray(filter.clients)) {
                numbers.clients[ExactText(try row.text(1))] = try row.int32(0)
            }
        }
        return numbers
    }

    static func findUsers(_ session: Session, _ users: [UserID]) throws -> [UserID: Int32] {
        guard !users.isEmpty else { return [:] }
        let erased = users.compactMap(UserName.erasedNumber)
        let parameters = Parameters().textArray(users.map(\.description)).int32Array(erased)
        var found: [UserID: Int32] = [:]
        for row in try session.query(Statements.auditFindUsers, parameters) {
            let number = try row.int32(0)
            if let userID = UserID(any: UserName.text(try row.optionalText(1), number: number)) {
                found[userID] = number
            }
        }
        return found
    }

    /// The ids of users, as answers show them.
    static func names(_ session: Session, of numbers: [Int32]) throws -> [Int32: String] {
        var names: [Int32: String] = [:]
        for row in try session.query(Statements.auditUserNames, Parameters().int32Array(numbers)) {
            let number = try row.int32(0)
            names[number] = UserName.text(try row.optionalText(1), number: number)
        }
        return names
    }
}
