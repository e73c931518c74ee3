import Foundation
import NIOPosix
import Synchronization

/// Finds the addresses of hosts.
struct HostResolver: Sendable {
    /// How long is waited; the system's own limit is far beyond it.
    private static let patience: Duration = .seconds(5)
    private let lookUp: @Sendable (String) -> [IPAddress]

    /// - Parameter lookUp: may block; empty: the host is unknown.
    init(_ lookUp: @escaping @Sendable (String) -> [IPAddress] = HostResolver.systemLookUp) { self.lookUp = lookUp }

    /// Never empty.
    ///
    /// - Throws: when the host is unknown, or no answer came in time.
    func addresses(of host: String) async throws(DestinationError) -> [IPAddress] {
        if let address = IPAddress(host) { return [address] }
        let answer = FirstAnswer()
        let found = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                try? await Task.sleep(for: Self.patience)
                answer.give(nil)
            }
            defer { group.cancelAll() }
            return await withCheckedContinuation { continuation in
                answer.wait(continuation)
                NIOThreadPool.singleton.submit { state in
                    answer.give(state == .active ? lookUp(host) : nil)
                }
            }
        }
        guard let found, !found.isEmpty else { throw DestinationError("the host's address is not known") }
        return found
    }

    static func systemLookUp(_ host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var found: [IPAddress] = []
        var next = list
        while let entry = next {
            if let address = entry.pointee.ai_addr.flatMap({ IPAddress($0) }), !found.contains(address) {
                found.append(address)
            }
            next = entry.pointee.ai_next
        }
        return found
    }
}

/// Two may answer; the first one counts.
private final class FirstAnswer: Sendable {
    private enum State {
        case asked(CheckedContinuation<[IPAddress]?, Never>)
        case early([IPAddress]?)
        case idle, answered
    }

    private let state = Mutex(State.idle)

    func wait(_ continuation: CheckedContinuation<[IPAddress]?, Never>) {
        let early = state.withLock { state -> [IPAddress]?? in
            if case .early(let answer) = state {
                state = .answered
                return .some(answer)
            }
            state = .asked(continuation)
            return nil
        }
        if let early { continuation.resume(returning: early) }
    }

    func give(_ answer: [IPAddress]?) {
        let continuation = state.withLock { state -> CheckedContinuation<[IPAddress]?, Never>? in
            switch state {
            case .idle: state = .early(answer)
            case .asked(let continuation):
                state = .answered
                return continuation
            case .early, .answered: break
            }
            return nil
        }
        continuation?.resume(returning: answer)
    }
}
