internal import CLibPQ
internal import Glibc

/// A POSIX thread that runs one closure.
struct NativeThread: @unchecked Sendable {
    // Sendable: a thread's id is a plain value.
    private let id: pthread_t

    /// Starts a thread; nil if the system has none left. Names over 15 bytes are cut.
    init?(named name: String, _ body: @escaping @Sendable () -> Void) {
        let start = Unmanaged.passRetained(Start(name: name, body: body))
        var id = pthread_t()
        let status = pthread_create(
            &id,
            nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
                rastro_set_thread_name(start.name)
                start.body()
                return nil
            },
            start.toOpaque()
        )
        guard status == 0 else {
            start.release()
            return nil
        }
        self.id = id
    }

    /// Lets the thread clean up after itself. Once only.
    func detach() { pthread_detach(id) }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            self.name = name
            self.body = body
        }
    }
}

/// Threads that nobody waits for.
package enum DetachedThread {
    /// Runs the closure on a new thread; on the caller's if the system has none left.
    package static func start(named name: String, _ body: @escaping @Sendable () -> Void) {
        if let thread = NativeThread(named: name, body) { thread.detach() } else { body() }
    }
}
