/// An HTTP request as a signature sees it: everything as it goes over the wire.
package struct SignableRequest: Sendable {
    package struct Field: Sendable, Hashable {
        /// In lower case.
        package let name: String
        package let value: String

        package init(_ name: String, _ value: String) {
            self.name = name.lowercased()
            self.value = value
        }
    }

    package var method: String
    /// Percent-encoded, without the query.
    package var path: String
    /// Percent-encoded, without the question mark; "" when there is none.
    package var query: String
    /// In order of arrival; a name may stand there twice. `host` must be among them.
    package var fields: [Field]
    /// The lower-case hexadecimal SHA-256 of the body.
    package var bodyDigest: String

    package init(
        method: String,
        path: String,
        query: String = "",
        fields: [Field],
        bodyDigest: String
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.fields = fields
        self.bodyDigest = bodyDigest
    }

    /// A request with this body.
    package init(
        method: String,
        path: String,
        query: String = "",
        fields: [Field],
        body: some Collection<UInt8>
    ) {
        self.init(
            method: method,
            path: path,
            query: query,
            fields: fields,
            bodyDigest: Digest.sha256(body)
        )
    }

    /// The first value of a field; nil without one.
    package subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
}
