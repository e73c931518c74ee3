import EmbeddedPostgres
import Foundation
import Synchronization

/// Ends servers with the test process: one small shell for each directory, which waits on a channel that closes when
/// this process is gone (a crash and kill -9 included), then ends the servers below its directory and removes it.
final class Watchdog: Sendable {
    static let shared = Watchdog()

    private struct Guard {
        let shell: ChildProcess
        let channel: Int32
    }

    private let guards = Mutex<[Guard]>([])
    private static let endTimeout: Duration = .seconds(20)

    /// `$1` is the directory. Servers are known by their working directories, as process ids come back.
    private static let script = """
        cat > /dev/null
        servers() {
            for process in /proc/[0-9]*; do
                read -r name 2> /dev/null < "$process/comm" || continue
                case "$name" in postgres | nats-server) ;; *) continue ;; esac
                case "$(readlink "$process/cwd")" in "$1"/*) echo "${process#/proc/}" ;; esac
            done
        }
        signal=QUIT
        for round in 1 2 3 4 5; do
            found=$(servers "$1")
            [ -n "$found" ] || break
            kill -$signal $found 2> /dev/null
            tries=0
            while [ -n "$(servers "$1")" ] && [ $tries -lt 20 ]; do sleep 0.1; tries=$((tries + 1)); done
            signal=KILL
        done
        rm -rf -- "$1"
        """

    private init() {
        atexit { Watchdog.shared.end() }
    }

    func guardDirectory(_ directory: String) throws {
        let channel = try ChildProcess.Channel()
        defer { close(channel.theirs) }
        let shell = try ChildProcess.spawn(
            ["/bin/sh", "-c", Self.script, "watchdog", directory],
            input: channel.theirs
        )
        guards.withLock { $0.append(Guard(shell: shell, channel: channel.ours)) }
    }

    /// Lets the shells do their work and waits for them.
    private func end() {
        let all = guards.withLock { guards in
            defer { guards = [] }
            return guards
        }
        for item in all { close(item.channel) }
        let deadline = ContinuousClock.now + Self.endTimeout
        for item in all { _ = item.shell.wait(until: deadline) }
    }
}
