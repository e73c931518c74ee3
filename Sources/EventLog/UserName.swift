package import Catalog

/// How answers name a user: by his id, or, once that is erased, by `system:erased:<number>`.
///
/// An event's user is never absent. The prefix `system:` is refused from outside, so no user can have such an id, and
/// filters take it: what an erased user did stays one trail.
package enum UserName {
    private static let erasedPrefix = "system:erased:"

    package static func text(_ userID: String?, number: Int32) -> String { userID ?? "\(erasedPrefix)\(number)" }

    /// The number in `system:erased:<number>`; nil for any other id.
    package static func erasedNumber(_ userID: UserID) -> Int32? {
        let text = userID.description
        guard text.utf8.starts(with: erasedPrefix.utf8) else { return nil }
        let digits = text.dropFirst(erasedPrefix.count)
        guard let number = Int32(digits), String(number) == digits else { return nil }
        return number
    }
}

extension RecordedEvent {
    /// Who, as answers show it.
    package var userName: String { UserName.text(userID, number: userNumber) }
}
