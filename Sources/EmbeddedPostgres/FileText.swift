package import Glibc

/// Small text files and directories, with errors that name the path. All calls block the calling thread.
package enum FileText {
    /// Larger files are refused: what is read here is a few lines.
    static let limitBytes = 1024 * 1024

    package static func read(_ path: String) throws -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot read \(path)") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("cannot read \(path)") }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limitBytes else {
                throw EmbeddedPostgresError(.fileSystem, "\(path) is larger than \(limitBytes) bytes")
            }
        }
    }

    /// The last 4 KiB of a file that may be large, empty when it cannot be read.
    static func end(of path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let size = lseek(descriptor, 0, SEEK_END)
        let count = pread(descriptor, &bytes, bytes.count, max(0, size - bytes.count))
        return String(decoding: bytes[..<max(0, count)], as: UTF8.self)
    }

    /// The file that was changed last.
    static func newest(of paths: [String]) -> String? {
        func changed(_ path: String) -> Int {
            var info = stat()
            return stat(path, &info) == 0 ? info.st_mtim.tv_sec : 0
        }
        return paths.max { changed($0) < changed($1) }
    }

    /// Replaces the file as a whole: readers see the old text or the new one. The bytes are on disk when it returns.
    package static func write(_ text: String, to path: String, mode: mode_t = 0o600, owner: ServerAccount? = nil) throws
    {
        let temporary = "\(path).\(getpid())-\(UInt32.random(in: 0 ... .max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("cannot write \(temporary)") }
        defer { close(descriptor) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw discard(temporary) }
            bytes = bytes.dropFirst(count)
        }
        if let owner, owner.uid != geteuid() {
            guard fchown(descriptor, owner.uid, owner.gid) == 0 else { throw discard(temporary) }
        }
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw discard(temporary) }
    }

    /// Makes the directory, and those above it (0755), unless it is there. `mode` and `owner` hold for what is made.
    package static func makeDirectory(_ path: String, mode: mode_t = 0o700, owner: ServerAccount? = nil) throws {
        if mkdir(path, mode) == 0 {
            guard let owner, owner.uid != geteuid() else { return }
            guard chown(path, owner.uid, owner.gid) == 0 else { throw failure("cannot hand \(path) to \(owner.name)") }
            return
        }
        if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            try makeDirectory(String(path[..<slash]), mode: 0o755)
            return try makeDirectory(path, mode: mode, owner: owner)
        }
        guard errno == EEXIST else { throw failure("cannot make the directory \(path)") }
        guard isDirectory(path) else { throw EmbeddedPostgresError(.fileSystem, "\(path) is not a directory") }
    }

    /// Makes sure that names added to the directory survive a crash of the machine.
    static func syncDirectory(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot open \(path)") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("cannot sync \(path)") }
    }

    /// Whether a directory is there, links followed.
    package static func isDirectory(_ path: String) -> Bool {
        var info = stat()
        return stat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether something is there, links followed. What may not be looked at counts as being there.
    package static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)
    }

    /// The absolute path without links; the path must exist.
    package static func resolved(_ path: String) throws -> String {
        guard let resolved = realpath(path, nil) else { throw failure("cannot resolve \(path)") }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// Where a symbolic link leads, nil when there is no link.
    package static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// The names in a directory, sorted, without those that start with a dot; none when it cannot be read.
    static func children(of directory: String) -> [String] {
        guard let handle = opendir(directory) else { return [] }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted()
    }

    static func failure(_ what: String) -> EmbeddedPostgresError {
        EmbeddedPostgresError(.fileSystem, "\(what): \(String(cString: strerror(errno)))")
    }

    private static func discard(_ temporary: String) -> EmbeddedPostgresError {
        let error = failure("cannot write \(temporary)")
        unlink(temporary)
        return error
    }
}
