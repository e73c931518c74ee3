import NIOCore

/// Tells a client that waits for it (`Expect: 100-continue`) to send its body (RFC 9110, 10.1.1).
///
/// It stands next to the socket, as the HTTP library knows final answers only. An answer is never under way when it is
/// triggered: requests of one connection are handled one after the other, and a body is read before its answer.
final class ContinueHandler: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = IOData
    typealias OutboundOut = IOData

    /// Triggered by whoever is about to read a body.
    struct Event: Sendable {}

    private static let interimAnswer = ByteBuffer(string: "HTTP/1.1 100 Continue\r\n\r\n")

    func triggerUserOutboundEvent(context: ChannelHandlerContext, event: Any, promise: EventLoopPromise<Void>?) {
        if event is Event {
            context.writeAndFlush(wrapOutboundOut(.byteBuffer(Self.interimAnswer)), promise: promise)
        } else {
            context.triggerUserOutboundEvent(event, promise: promise)
        }
    }
}
