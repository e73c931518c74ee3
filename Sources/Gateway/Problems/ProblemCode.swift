package import HTTPTypes

/// Every kind of error answer. Clients rely on the raw values: they never change. `/docs/problems/<code>` is a page
/// made from this list, and so is the table of docs/errors.md.
package enum ProblemCode: String, Sendable, Hashable, CaseIterable {
    case invalidPath = "invalid-path"
    case invalidQuery = "invalid-query"
    case invalidHeader = "invalid-header"
    case invalidCursor = "invalid-cursor"
    case malformedRequest = "malformed-request"
    case malformedBody = "malformed-body"
    case malformedJSON = "malformed-json"
    case unauthenticated
    case missingScope = "missing-scope"
    case noSuchPath = "no-such-path"
    case productNotFound = "product-not-found"
    case notFoundThen = "not-found-then"
    case eventNotFound = "event-not-found"
    case webhookNotFound = "webhook-not-found"
    case methodNotAllowed = "method-not-allowed"
    case codeTaken = "code-taken"
    case nameTaken = "name-taken"
    case idTaken = "id-taken"
    case idUsed = "id-used"
    case productGone = "product-gone"
    case preconditionFailed = "precondition-failed"
    case bodyTooLarge = "body-too-large"
    case unsupportedMediaType = "unsupported-media-type"
    case invalidFields = "invalid-fields"
    case preconditionRequired = "precondition-required"
    case tooManyRefusals = "too-many-refusals"
    case headersTooLarge = "headers-too-large"
    case `internal`
    case overloaded
    case unavailable
    case outcomeUnknown = "outcome-unknown"
    case noServerSecret = "no-server-secret"
    case programTooOld = "program-too-old"

    package var status: HTTPResponse.Status {
        switch self {
        case .invalidPath, .invalidQuery, .invalidHeader, .invalidCursor: .badRequest
        case .malformedRequest, .malformedBody, .malformedJSON: .badRequest
        case .unauthenticated: .unauthorized
        case .missingScope: .forbidden
        case .noSuchPath, .productNotFound, .notFoundThen, .eventNotFound, .webhookNotFound: .notFound
        case .methodNotAllowed: .methodNotAllowed
        case .codeTaken, .idTaken, .idUsed, .nameTaken: .conflict
        case .productGone: .gone
        case .preconditionFailed: .preconditionFailed
        case .bodyTooLarge: .contentTooLarge
        case .unsupportedMediaType: .unsupportedMediaType
        case .invalidFields: .unprocessableContent
        case .preconditionRequired: .preconditionRequired
        case .tooManyRefusals: .tooManyRequests
        case .headersTooLarge: .requestHeaderFieldsTooLarge
        case .internal: .internalServerError
        case .overloaded, .unavailable, .outcomeUnknown, .noServerSecret, .programTooOld: .serviceUnavailable
        }
    }

    /// A short name, the same for every occurrence.
    package var title: String {
        switch self {
        case .invalidPath: "The path cannot be read"
        case .invalidQuery: "The query cannot be read"
        case .invalidHeader: "A header cannot be read"
        case .invalidCursor: "The cursor is not valid here"
        case .malformedRequest: "The request cannot be read"
        case .malformedBody: "The body could not be read"
        case .malformedJSON: "The body is not JSON"
        case .unauthenticated: "Nobody is known to be asking"
        case .missingScope: "A scope is missing"
        case .noSuchPath: "There is nothing at this path"
        case .productNotFound: "There is no such product"
        case .notFoundThen: "The product did not exist then"
        case .eventNotFound: "There is no such event"
        case .webhookNotFound: "There is no such webhook"
        case .methodNotAllowed: "The path has no such method"
        case .codeTaken: "Another product has the code"
        case .nameTaken: "The name is taken"
        case .idTaken: "A product has the id"
        case .idUsed: "The id was used before"
        case .productGone: "The product is gone"
        case .preconditionFailed: "The product has changed"
        case .bodyTooLarge: "The body is too large"
        case .unsupportedMediaType: "The body has another media type"
        case .invalidFields: "Some fields are wrong"
        case .preconditionRequired: "If-Match is required"
        case .tooManyRefusals: "Too many refusals"
        case .headersTooLarge: "The headers are too large"
        case .internal: "The server failed"
        case .overloaded: "Too many requests wait"
        case .unavailable: "The database cannot be reached"
        case .outcomeUnknown: "It is not known whether it was done"
        case .noServerSecret: "The server has no secret"
        case .programTooOld: "This server is too old for its log"
        }
    }

    /// What it means and what to do, for the page.
    package var explanation: String {
        switch self {
        case .invalidPath:
            "A part of the path is not what must stand there, such as an id that is no positive 64-bit integer in "
                + "plain decimal digits. Nothing was done."
        case .invalidQuery:
            "A query parameter is unknown here, given twice, out of its range, or cannot be decoded. Nothing was done."
        case .invalidHeader:
            "A header has no value that can be understood, contradicts another one, or has no meaning for this "
                + "method. Nothing was done."
        case .invalidCursor:
            "A cursor is good only for the list, the filter and the log that gave it. Start again without a cursor."
        case .malformedRequest:
            "What arrived is no HTTP request, or its head is far beyond the limit. Nothing was done, and the connection "
                + "ends."
        case .malformedBody: "The body broke off or was not framed as HTTP asks. Nothing was done."
        case .malformedJSON:
            "The body is no JSON document: a syntax error, invalid UTF-8, or an object that has a key twice. The "
                + "detail names the byte. Nothing was done."
        case .unauthenticated:
            "Send an API key in x-api-key or as Authorization: Bearer. It was absent, malformed, unknown, revoked or "
                + "expired; the answer does not tell which."
        case .missingScope:
            "The key is known but lacks the scope that the detail names. The refusal is recorded as a DENIED event."
        case .noSuchPath: "The server has no such path. Check its spelling; paths end without a slash."
        case .productNotFound: "There never was a product with this id. The request is recorded as NOT_FOUND."
        case .notFoundThen: "The product did not exist yet at the time, position or version asked for."
        case .eventNotFound: "The log has no event at this position."
        case .webhookNotFound: "No webhook has this name. Destinations of other kinds are none."
        case .methodNotAllowed: "The Allow header lists the methods that the path has."
        case .codeTaken: "Codes are unique among live products. Nothing was done."
        case .nameTaken: "Names are unique among all destinations of events, webhooks and others. Nothing was done."
        case .idTaken: "A live product has the id that was asked for. Nothing was done."
        case .idUsed: "A deleted product had the id; an id is never used again. Nothing was done."
        case .productGone: "The product was deleted or has expired. The request is recorded as NOT_FOUND."
        case .preconditionFailed:
            "If-Match names no current version: somebody changed the product since. Fetch it, look at it, try again."
        case .bodyTooLarge: "A body may have 1 MiB unless the server is configured otherwise. Nothing was done."
        case .unsupportedMediaType:
            "Accept-Post or Accept-Patch names the media type that the body must have. Encodings such as gzip are not "
                + "accepted. Nothing was done."
        case .invalidFields:
            "The body is JSON, but some of its fields are wrong. All faults are listed in errors, each with a JSON "
                + "pointer, a code and a sentence. Nothing was done."
        case .preconditionRequired:
            "The server is configured to change products only with an If-Match. Nothing was done."
        case .tooManyRefusals:
            "More than 600 refusals (DENIED and NOT_FOUND) in a minute by one user or key. Wait as long as Retry-After "
                + "says."
        case .headersTooLarge: "All header fields and the path together may have 16 KiB. Nothing was done."
        case .internal: "Something is wrong with the server; its log has the detail under the request id."
        case .overloaded: "More requests wait than the server is configured to hold. Nothing was done; try again."
        case .unavailable:
            "The database cannot be reached, or the server is shutting down. Nothing was done; try again after "
                + "Retry-After."
        case .outcomeUnknown:
            "The connection to the database broke around the commit: the request may have been done, completely, or "
                + "not at all. Look before you try again."
        case .noServerSecret:
            "Webhooks' secrets follow from the server's own, and this server has none: with a database URL it needs "
                + "RASTRO_SECRET_FILE, the same file at every server. Nothing was done."
        case .programTooOld:
            "The log asks for a newer version of this program, so that no field is lost. Nothing was done."
        }
    }

    /// Seconds after which another try makes sense.
    var retryAfterSeconds: Int? {
        switch self {
        case .overloaded: 1
        case .unavailable, .outcomeUnknown: 2
        case .programTooOld, .noServerSecret: 60
        default: nil
        }
    }
}
