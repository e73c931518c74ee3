internal import CLibPQ
internal import Glibc

/// What NOTIFY sent.
package struct Notification: Sendable, Hashable {
    package let channel: String
    package let payload: String
    /// The server process that sent it.
    package let processID: Int32
}

extension Session {
    /// Subscribes to a channel. A notification is a hint: some may be missed while no session listens.
    package func listen(_ channel: String) throws(PostgresError) {
        try execute("LISTEN " + quotedIdentifier(channel))
    }

    /// The next notification, nil if none comes within `timeout`. Throws `.cancelled` at once when the session is
    /// cancelled, `.connectionLost` when the connection fails.
    package func waitForNotification(timeout: Duration) throws(PostgresError) -> Notification? {
        let deadline = ContinuousClock.now + timeout
        while true {
            let connection = try live()
            // On an encrypted connection data may wait where `poll` does not see it.
            if isEncrypted, PQconsumeInput(connection) == 0 { throw lost(connection) }
            if let notification = nextNotification(connection) { return notification }
            let remaining = deadline - .now
            let isReadable = waitForNews(connection, milliseconds: remaining.pollTimeout)
            if isReadable, PQconsumeInput(connection) == 0 { throw lost(connection) }
            if !isReadable, remaining <= .zero { return nil }
        }
    }

    /// An identifier with its quotes.
    package func quotedIdentifier(_ name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }

    private func nextNotification(_ connection: OpaquePointer) -> Notification? {
        guard let raw = PQnotifies(connection) else { return nil }
        defer { PQfreemem(raw) }
        return Notification(
            channel: String(cString: raw.pointee.relname),
            payload: String(cString: raw.pointee.extra),
            processID: raw.pointee.be_pid
        )
    }

    /// Waits for data or a cancellation; whether there is data.
    private func waitForNews(_ connection: OpaquePointer, milliseconds: Int32) -> Bool {
        withUnsafeTemporaryAllocation(of: pollfd.self, capacity: 2) { descriptors in
            let events = Int16(truncatingIfNeeded: POLLIN)
            descriptors.initializeElement(at: 0, to: pollfd(fd: PQsocket(connection), events: events, revents: 0))
            let wake = pollfd(fd: cancelHandle.wakeDescriptor, events: events, revents: 0)
            descriptors.initializeElement(at: 1, to: wake)
            return poll(descriptors.baseAddress, 2, milliseconds) > 0 && descriptors[0].revents != 0
        }
    }
}
