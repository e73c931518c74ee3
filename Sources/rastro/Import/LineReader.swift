import Foundation

/// Reads a file, or standard input, line by line, over a UTF-8 byte order mark at its start.
///
/// Memory holds a block and what stands since the mark, or one line; both are limited.
struct LineReader: Sendable {
    enum Line: Equatable {
        /// The line without its end, LF or CR LF.
        case text(ArraySlice<UInt8>)
        /// More than `lineLimitBytes`; the next line can be read all the same.
        case tooLong
    }

    /// A longer line is not read: no product needs it.
    static let lineLimitBytes = 1 << 20
    private static let blockBytes = 1 << 18
    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private let handle: FileHandle
    private let path: String
    /// The file's length in bytes; nil when it is no regular file.
    let size: Int?

    private var buffer: [UInt8] = []
    /// Where the next line starts in `buffer`.
    private var start = 0
    /// Bytes that went through `buffer` and were dropped.
    private var dropped = 0
    private var isAtEnd = false
    /// Whether `start` stands in a line that was told to be too long.
    private var isInLongLine = false
    private var mark: (start: Int, number: Int)?

    /// The number, from 1, of the line that was read last; 0 before the first.
    private(set) var number = 0
    /// Bytes of the file that were read as lines.
    var position: Int { dropped + start }

    /// - Parameter path: `-` is standard input.
    init(path: String) throws(Failure) {
        self.path = path
        if path == "-" {
            handle = .standardInput
        } else if let opened = FileHandle(forReadingAtPath: path) {
            handle = opened
        } else {
            throw Failure(.usage, "cannot read \(path)")
        }
        var status = stat()
        let kind = fstat(handle.fileDescriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        guard kind != S_IFDIR else { throw Failure(.usage, "\(path) is a directory") }
        size = kind == S_IFREG ? Int(status.st_size) : nil
    }

    /// The next line; nil at the end of the file.
    mutating func next() throws(Failure) -> Line? {
        try skipLongLine()
        var scanned = start
        while true {
            if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return line(upTo: end)
            }
            scanned = buffer.count
            if isAtEnd {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return line(upTo: buffer.count)
            }
            if scanned - start > Self.lineLimitBytes {
                isInLongLine = true
                return line(upTo: scanned)
            }
            scanned -= try fill()
        }
    }

    /// Keeps what is read from here on, for one `rewind()`. Only for a stretch that the caller limits.
    mutating func setMark() { mark = (start, number) }

    /// Goes back to the mark, which is then gone; does nothing without one.
    mutating func rewind() {
        guard let mark else { return }
        (start, number) = mark
        isInLongLine = false
        self.mark = nil
    }

    mutating func forgetMark() { mark = nil }

    private mutating func line(upTo end: Int) -> Line {
        number += 1
        guard end - start <= Self.lineLimitBytes else { return .tooLong }
        var line = buffer[start..<end]
        if number == 1, line.starts(with: Self.byteOrderMark) { line = line.dropFirst(Self.byteOrderMark.count) }
        return .text(line.last == UInt8(ascii: "\r") ? line.dropLast() : line)
    }

    /// A long line is passed over only when the line after it is wanted, so that a mark before it still holds.
    private mutating func skipLongLine() throws(Failure) {
        guard isInLongLine else { return }
        mark = nil
        while isInLongLine {
            if let end = buffer[start...].firstIndex(of: UInt8(ascii: "\n")) {
                start = end + 1
                isInLongLine = false
            } else {
                start = buffer.count
                if isAtEnd { isInLongLine = false } else { _ = try fill() }
            }
        }
    }

    /// Reads a block more. Returns by how much what is kept moved towards the buffer's start.
    private mutating func fill() throws(Failure) -> Int {
        let block: Data
        do {
            block = try handle.read(upToCount: Self.blockBytes) ?? Data()
        } catch {
            throw Failure(.usage, "cannot read \(path): \(error.localizedDescription)")
        }
        isAtEnd = block.isEmpty
        let unused = mark?.start ?? start
        buffer.removeFirst(unused)
        dropped += unused
        start -= unused
        mark?.start -= unused
        buffer += block
        return unused
    }
}
