package import Catalog
import EventLog
import HTTPTypes
package import Hummingbird
import NIOCore

extension Problem {
    /// The answer: `application/problem+json` with `type`, `title`, `status`, `detail`, `instance`, `code`, `requestId`
    /// and, when fields are wrong, `errors`.
    func response(to request: Request, requestID: EventRequestID) -> Response {
        var writer = JSONWriter(reserving: 384)
        writer.beginObject()
        writer.member("type", "/docs/problems/\(code.rawValue)")
        writer.member("title", code.title)
        writer.member("status", code.status.code)
        writer.member("detail", detail)
        writer.member("instance", request.uri.path)
        writer.member("code", code.rawValue)
        writer.member("requestId", requestID.description)
        if !faults.isEmpty { write(faults, to: &writer) }
        writer.endObject()
        var headers = headers
        headers[.contentType] = "application/problem+json"
        return Response(status: code.status, headers: headers, body: ResponseBody(json: writer))
    }

    private func write(_ faults: [FieldFault], to writer: inout JSONWriter) {
        writer.key("errors")
        writer.beginArray()
        for fault in faults {
            writer.beginObject()
            writer.member("pointer", fault.pointer)
            writer.member("code", fault.code.rawValue)
            writer.member("detail", fault.detail)
            writer.endObject()
        }
        writer.endArray()
    }
}

extension ResponseBody {
    package init(bytes: [UInt8]) { self.init(byteBuffer: ByteBuffer(bytes: bytes)) }

    package init(json writer: JSONWriter) { self.init(bytes: writer.bytes) }
}
