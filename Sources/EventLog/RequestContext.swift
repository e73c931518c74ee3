package import Catalog

/// Who asks: the user whose name an event bears, and how we know.
package struct Caller: Sendable, Hashable {
    package let userID: UserID
    package let client: ClientReference?
    package let auth: AuthMethod

    package init(userID: UserID, client: ClientReference?, auth: AuthMethod) {
        self.userID = userID
        self.client = client
        self.auth = auth
    }
}

/// An API key as events know it.
package struct ClientReference: Sendable, Hashable {
    /// The key's number in `api_keys`.
    package let number: Int32
    /// The key's public id.
    package let keyID: String
    /// Which of the key's secrets was presented: rotation raises it, and what was before no longer serves.
    package let generation: Int32

    package init(number: Int32, keyID: String, generation: Int32 = 1) {
        self.number = number
        self.keyID = keyID
        self.generation = generation
    }
}

/// The label that all events of one request share. It is not unique and nothing is decided by it.
package enum RequestID: Sendable, Hashable, CustomStringConvertible {
    /// Made here: a UUIDv7, so its time finds its events.
    case generated(UUIDv7)
    /// Chosen by the client: `[A-Za-z0-9._-]{1,128}`.
    case label(String)

    /// A client's label; nil when it is not well-formed.
    package init?(label: String) {
        let allowed = label.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, (1...128).contains(label.utf8.count) else { return nil }
        self = .label(label)
    }

    package var description: String {
        switch self {
        case .generated(let uuid): uuid.description
        case .label(let label): label
        }
    }
}

/// What every event of one request shares.
package struct RequestContext: Sendable {
    package let caller: Caller
    package let requestID: RequestID
    package let trace: TraceContext?
    package let via: Via

    package init(caller: Caller, requestID: RequestID, trace: TraceContext?, via: Via) {
        self.caller = caller
        self.requestID = requestID
        self.trace = trace
        self.via = via
    }
}
