package import Glibc

/// A program started with `posix_spawn`: in a process group of its own, with default signal handling, and with no
/// file descriptor of ours but the three it is given.
package struct ChildProcess: Sendable {
    /// What a finished program left: its wait status as the shell tells it (128 + signal when killed) and its output.
    package struct Outcome: Sendable {
        package let status: Int32
        package let output: String
        package let timedOut: Bool

        package var succeeded: Bool { status == 0 && !timedOut }
    }

    /// Two connected ends, neither of which a program started elsewhere in this process inherits.
    package struct Channel: Sendable {
        package let ours: Int32
        package let theirs: Int32

        /// The caller closes both ends.
        package init() throws {
            var ends: [Int32] = [0, 0]
            let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            guard socketpair(AF_UNIX, type, 0, &ends) == 0 else { throw FileText.failure("cannot make a channel") }
            ours = ends[0]
            theirs = ends[1]
        }
    }

    /// Output beyond this many bytes is read and dropped.
    static let outputLimitBytes = 256 * 1024

    package let pid: pid_t

    /// Starts `command`; its first element is the path of the executable.
    ///
    /// - Parameters:
    ///   - environment: the whole environment; nothing is inherited.
    ///   - input: becomes standard input; `/dev/null` when nil.
    ///   - output: becomes standard output and standard error; `/dev/null` when nil.
    /// - Throws: ``EmbeddedPostgresError`` with `commandFailed`.
    package static func spawn(
        _ command: [String],
        environment: [String: String] = baseEnvironment,
        input: Int32? = nil,
        output: Int32? = nil
    ) throws -> ChildProcess {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        if let output {
            posix_spawn_file_actions_adddup2(&actions, output, 1)
            posix_spawn_file_actions_adddup2(&actions, output, 2)
        } else {
            posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        for descriptor in openDescriptors() where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK
        posix_spawnattr_setflags(&attributes, Int16(flags))

        var arguments = command.map { strdup($0) }
        arguments.append(nil)
        var variables = environment.map { strdup("\($0.key)=\($0.value)") }
        variables.append(nil)
        defer { for text in arguments + variables { free(text) } }

        var pid: pid_t = 0
        let failure = posix_spawn(&pid, command.first ?? "", &actions, &attributes, arguments, variables)
        guard failure == 0 else {
            throw EmbeddedPostgresError(
                .commandFailed,
                "cannot start \(command.first ?? "nothing"): \(String(cString: strerror(failure)))"
            )
        }
        return ChildProcess(pid: pid)
    }

    /// Runs `command` to its end and gathers standard output and standard error together. Blocks the calling thread.
    ///
    /// After `timeout` the whole process group is killed and the outcome says so.
    package static func run(
        _ command: [String],
        environment: [String: String] = baseEnvironment,
        timeout: Duration
    ) throws -> Outcome {
        let channel = try Channel()
        defer { close(channel.ours) }
        let child: ChildProcess
        do {
            defer { close(channel.theirs) }
            child = try spawn(command, environment: environment, output: channel.theirs)
        }
        let deadline = ContinuousClock.now + timeout
        let (output, complete) = read(channel.ours, until: deadline)
        let status = complete ? child.wait(until: deadline) : nil
        if let status {
            return Outcome(status: status, output: output, timedOut: false)
        }
        kill(-child.pid, SIGKILL)
        let last = child.wait(until: ContinuousClock.now + .seconds(5)) ?? 137
        return Outcome(status: last, output: output, timedOut: true)
    }

    /// Runs `command` and returns its output. Blocks the calling thread.
    /// - Throws: ``EmbeddedPostgresError`` with `commandFailed` and the output when it fails or takes too long.
    @discardableResult
    package static func succeed(
        _ command: [String],
        environment: [String: String] = baseEnvironment,
        timeout: Duration
    ) throws -> String {
        let outcome = try run(command, environment: environment, timeout: timeout)
        guard outcome.succeeded else {
            let reason = outcome.timedOut ? "took longer than \(timeout)" : "ended with status \(outcome.status)"
            let text = "\(command.joined(separator: " ")) \(reason): \(outcome.output)"
            throw EmbeddedPostgresError(.commandFailed, text)
        }
        return outcome.output
    }

    /// The status once the child has ended, nil while it runs; 0 when it is no child of ours or was already waited for.
    package func poll() -> Int32? {
        var raw: Int32 = 0
        let result = waitpid(pid, &raw, WNOHANG)
        if result == 0 || (result < 0 && errno == EINTR) { return nil }
        guard result == pid else { return 0 }
        let signal = raw & 0x7f
        return signal == 0 ? (raw >> 8) & 0xff : 128 + signal
    }

    /// Waits for the end, at most until `deadline`. Blocks the calling thread.
    package func wait(until deadline: ContinuousClock.Instant) -> Int32? {
        while true {
            if let status = poll() { return status }
            guard ContinuousClock.now < deadline else { return nil }
            usleep(2_000)
        }
    }

    /// A small environment in which the programs of PostgreSQL behave the same everywhere: no `PG…` variable, no locale.
    package static let baseEnvironment: [String: String] = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LC_ALL": "C",
        "TZ": "UTC",
    ]

    /// What must not leak into a child although it was opened without `O_CLOEXEC`, by whatever library.
    private static func openDescriptors() -> [Int32] {
        FileText.children(of: "/proc/self/fd").compactMap { Int32($0) }
    }

    private static func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) -> (String, Bool) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let left = (deadline - ContinuousClock.now) / .milliseconds(1)
            guard left > 0 else { return (String(decoding: bytes, as: UTF8.self), false) }
            var waiting = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard Glibc.poll(&waiting, 1, Int32(min(left.rounded(.up), 1_000_000))) > 0 else { continue }
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return (String(decoding: bytes, as: UTF8.self), true) }
            bytes.append(contentsOf: chunk[..<min(count, outputLimitBytes - bytes.count)])
        }
    }
}
