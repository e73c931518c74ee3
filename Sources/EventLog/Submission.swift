package import Catalog
package import LibPQ

/// What a handler hands to the committer.
package enum Work: Sendable {
    /// Show one product: FETCHED, or NOT_FOUND.
    case fetch(ProductID)
    /// Show the live products after an id, at most `limit`: one FETCHED each.
    case list(after: Int64, limit: Int)
    /// Show the live product with this code, if there is one: FETCHED.
    case listByCode(String)
    /// Make a product under an id that the log assigns.
    case create(NewProduct)
    /// Any other command on one product.
    case command(Command)
    /// Write down something that happened and changes no product.
    case note(Note)
    /// A privileged act: its own statements and its OPERATED event, in one transaction.
    case act(Act)

    /// At most how many events this may append: batches and the queue are bounded by events.
    var eventBound: Int {
        switch self {
        case .list(_, let limit): max(1, limit)
        default: 1
        }
    }
}

/// An event about no change of a product: a refusal, a query, an operation.
package struct Note: Sendable {
    package let type: EventType
    package let productID: ProductID?
    /// An id that was named although no product can have it; stands in the event for `productID`.
    package let beyondRange: Int64?
    package let code: String?
    /// Exact bytes of the event's `data`, JSON; nil when it has none.
    package let data: [UInt8]?

    package init(
        type: EventType,
        productID: ProductID? = nil,
        beyondRange: Int64? = nil,
        code: String? = nil,
        data: [UInt8]? = nil
    ) {
        self.type = type
        self.productID = productID
        self.beyondRange = beyondRange
        self.code = code
        self.data = data
    }
}

/// The statements of a privileged act. `body` runs under the head's lock, in the transaction that appends its event;
/// it returns the OPERATED event's `data`, or nil when it turned out that nothing changed. What it throws rolls the
/// whole act back and reaches the caller.
package struct Act: Sendable {
    package let body: @Sendable (Session, ActContext) throws -> [UInt8]?
    /// Whether it replaces the products' table, which it then locks before the head, as every batch touches them in
    /// this order: the other way round it and a batch that waits for the head would wait for each other.
    let replacesProducts: Bool

    package init(
        replacesProducts: Bool = false,
        body: @escaping @Sendable (Session, ActContext) throws -> [UInt8]?
    ) {
        self.replacesProducts = replacesProducts
        self.body = body
    }
}

/// What an act's statements may need to know.
package struct ActContext {
    /// The time that its event will bear, as things stand: naming a new user first moves it on.
    package let recordedAt: () -> Timestamp
    /// The number of a user, registered on the spot if he was never seen (his USER_REGISTERED event comes first).
    package let userNumber: (UserID) throws -> Int32
}

/// What a committed submission answers.
package struct Outcome: Sendable {
    /// The last event that it appended; nil when it appended none.
    package let position: Int64?
    package let answer: Answer

    package init(position: Int64?, answer: Answer) {
        self.position = position
        self.answer = answer
    }
}

package enum Answer: Sendable {
    /// The product, as the event saw it; `changed` is false for a fetch and for a PUT or PATCH that changed nothing.
    case product(Product, changed: Bool)
    case deleted
    /// The products shown; `through` is the last id that was read for them, when as many were read as were asked for: one
    /// of them may have been deleted within the batch, and more may follow.
    case products([Product], through: ProductID?)
    case noted
    /// Refused in order and under the lock: not found, gone, conflict.
    case rejected(Rejection)
}

/// Why a submission has no outcome.
package enum CommitError: Error, Sendable, Hashable {
    /// The queue is full; nothing was done.
    case overloaded
    /// The database could not be reached in time; nothing was done.
    case unavailable
    /// The database went away around the commit and did not come back in time: the submission may have been done.
    case outcomeUnknown
    /// The caller's key was revoked or has expired; nothing was done.
    case keyRevoked
    /// The log asks for a newer program; nothing was done.
    case programTooOld
    /// The server is shutting down; nothing was done.
    case shuttingDown
    /// The database refused this very submission; nothing was done. The log has the detail.
    case refused(sqlState: String)
}
