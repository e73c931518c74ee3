import Catalog
import EventLog
import HTTPTypes
import NIOCore

/// Gives the HTTP library's own refusals, for bytes that cannot be read as a request, the form of every other one.
///
/// The library answers those before there is a request that the router could see: with an empty 400. This handler stands
/// next to the socket, knows that answer by its bytes, and writes a problem document in its place.
final class BareRefusalHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    private static let bare = ByteBuffer(
        string: "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )

    private static func document() -> ByteBuffer {
        let requestID = UUIDv7().description
        let code = ProblemCode.malformedRequest
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "/docs/problems/\(code.rawValue)")
        writer.member("title", code.title)
        writer.member("status", code.status.code)
        writer.member("detail", "the request is no HTTP, or its head is far too large")
        writer.member("code", code.rawValue)
        writer.member("requestId", requestID)
        writer.endObject()
        let head = """
            HTTP/1.1 400 Bad Request\r
            Connection: close\r
            Content-Type: application/problem+json\r
            Cache-Control: no-store\r
            X-Content-Type-Options: nosniff\r
            X-Request-Id: \(requestID)\r
            Content-Length: \(writer.bytes.count)\r
            \r

            """
        return ByteBuffer(bytes: Array(head.utf8) + writer.bytes)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .byteBuffer(let bytes) = unwrapOutboundIn(data), bytes == Self.bare {
            context.write(wrapOutboundOut(.byteBuffer(Self.document())), promise: promise)
        } else {
            context.write(data, promise: promise)
        }
    }
}
