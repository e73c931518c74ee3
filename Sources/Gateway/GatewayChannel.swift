import HummingbirdCore
import Logging
import NIOCore

/// A connection of the gateway: HTTP/1.1, with the handlers that stand next to the socket.
struct GatewayChannel: ServerChildChannel {
    let http: HTTP1Channel

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<HTTP1Channel.Value> {
        http.setup(channel: channel, logger: logger).flatMapThrowing { value in
            try channel.pipeline.syncOperations.addHandler(BareRefusalHandler(), position: .first)
            return value
        }
    }

    /// Serves the connection's requests, on its own event loop: a request then changes threads only where it waits for
    /// somebody else's work.
    func handle(value: HTTP1Channel.Value, logger: Logger) async {
        await withTaskExecutorPreference(EventLoopExecutor(value.channel.eventLoop)) {
            await http.handle(value: value, logger: logger)
        }
    }
}

/// Runs a connection's tasks on its event loop. Nothing there may block or compute for long.
private final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
