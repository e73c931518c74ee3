import Catalog
import HTTPTypes
import Hummingbird
import NIOCore

extension Exchange {
    /// Reads the body as JSON.
    ///
    /// - Throws: `body-too-large`, `unsupported-media-type`, `malformed-body` or `malformed-json`, in this order as far
    ///   as the headers tell.
    func json(_ type: BodyType, limits: BodyLimits) async throws(Problem) -> JSONValue {
        let headers = request.headers
        if let length = headers[values: .contentLength].first.flatMap({ Int64($0) }), length > Int64(limits.bytes) {
            throw limits.tooLarge
        }
        try checkType(type, headers)
        let bytes = try await collect(limits)
        do {
            return try JSONParser.parse(bytes.readableBytesView)
        } catch {
            throw Problem(.malformedJSON, error.message)
        }
    }

    private func checkType(_ type: BodyType, _ headers: HTTPFields) throws(Problem) {
        let accepted: HTTPFields = [request.method == .patch ? .acceptPatch : .acceptPost: type.rawValue]
        let types = headers[values: .contentType]
        guard types.count == 1, type.accepts(types[0]) else {
            throw Problem(.unsupportedMediaType, "the body must be \(type.rawValue)", headers: accepted)
        }
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw Problem(.unsupportedMediaType, "an encoded body is not accepted", headers: accepted)
        }
    }

    /// - Throws: `body-too-large` or `malformed-body`.
    func collect(_ limits: BodyLimits) async throws(Problem) -> ByteBuffer {
        context.bodyState.take()
        let ticket = limits.deadlines.begin(context.connection)
        defer { limits.deadlines.end(ticket) }
        if request.expectsContinue { try? await context.connection.triggerUserOutboundEvent(ContinueHandler.Event()) }
        do {
            return try await request.body.collect(upTo: limits.bytes)
        } catch is NIOTooManyBytesError {
            throw limits.tooLarge
        } catch {
            throw Problem(.malformedBody, "the body broke off or is not framed as HTTP asks")
        }
    }
}

extension Request {
    /// Whether the client sends its body only when told to.
    fileprivate var expectsContinue: Bool { headers[.expect]?.lowercased() == "100-continue" }
}

/// What a body may cost.
struct BodyLimits: Sendable {
    let bytes: Int
    /// How long a client may take to send it; then its connection is closed.
    let deadlines: BodyDeadlines

    init(bytes: Int, time: Duration) {
        self.bytes = bytes
        deadlines = BodyDeadlines(limit: time)
    }

    var tooLarge: Problem { Problem(.bodyTooLarge, "a body may have \(bytes) bytes") }
}
