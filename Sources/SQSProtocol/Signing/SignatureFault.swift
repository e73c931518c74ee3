package import Catalog

/// Why a request's signature does not prove who sent it.
package enum SignatureFault: Error, Sendable, Hashable {
    /// There is no `Authorization`.
    case missing
    /// It cannot be read; the text says why and is safe to show.
    case incomplete(String)
    case expired(signedAt: Timestamp, now: Timestamp)
    case notYetCurrent(signedAt: Timestamp, now: Timestamp)
    /// For another service, region or day.
    case wrongScope(String)
    /// A field that must be signed is not.
    case unsigned(String)
    /// A field that was signed did not arrive.
    case absent(String)
    /// There is no such access key.
    case unknownKey
    /// Another secret or another request.
    case mismatch
}
