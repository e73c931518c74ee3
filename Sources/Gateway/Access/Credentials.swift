import HTTPTypes

/// What a request says about who asks; nothing of it is checked yet.
struct Credentials: Sendable {
    /// The API key as presented.
    let key: String
    /// The end user whom `x-user-id` names.
    let actingFor: String?

    /// - Throws: `unauthenticated` without a key; `invalid-header` when there are several, or several end users.
    init(_ headers: HTTPFields) throws(Problem) {
        var presented: [String] = headers[values: .apiKey]
        for value in headers[values: .authorization] {
            guard let token = Self.bearerToken(value) else {
                throw .unauthenticated("the only Authorization known here is Bearer with an API key")
            }
            presented.append(token)
        }
        guard let key = presented.first, !key.isEmpty else {
            throw .unauthenticated("an API key is needed, in x-api-key or as Authorization: Bearer")
        }
        guard presented.allSatisfy({ $0 == key }) else {
            throw Problem(.invalidHeader, "the request bears two different keys")
        }
        let users = headers[values: .userID]
        guard users.count <= 1 else { throw Problem(.invalidHeader, "x-user-id is given twice") }
        self.key = key
        actingFor = users.first
    }

    /// RFC 6750: the scheme in any case, spaces, the token.
    private static func bearerToken(_ value: String) -> String? {
        guard let space = value.firstIndex(of: " "), value[..<space].lowercased() == "bearer" else { return nil }
        let token = value[space...].drop { $0 == " " }
        return token.isEmpty ? nil : String(token)
    }
}
