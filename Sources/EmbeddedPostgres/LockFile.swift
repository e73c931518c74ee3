import Glibc

/// A lock on a file, which the system lets go of when its process ends, however that happens. Two instances on one
/// path exclude each other within one process too.
///
/// Not thread-safe: belongs to one actor.
final class LockFile {
    enum Mode: Hashable, Sendable {
        case shared
        case exclusive
    }

    private let descriptor: Int32

    /// Makes the file unless it is there.
    init(path: String) throws {
        descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw FileText.failure("cannot open the lock \(path)") }
    }

    deinit { close(descriptor) }

    /// Takes the lock, or changes it to the other mode, if no other holder stands against it. When a change of mode
    /// fails, the lock that was held is lost.
    func tryLock(_ mode: Mode) -> Bool {
        flock(descriptor, (mode == .shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0
    }

    func unlock() { flock(descriptor, LOCK_UN) }
}
