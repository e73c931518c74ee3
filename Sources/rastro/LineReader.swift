import Foundation

/// Reads a file, or standard input, line by line; memory holds a line and a block.
struct LineReader: @unchecked Sendable {
    // Sendable: the handle is used by one task at a time, the one that reads.
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false
    private static let blockBytes = 1 << 18
    /// A longer line is refused: no product needs it.
    static let lineLimitBytes = 1 << 20

    init(path: String) throws {
        if path == "-" {
            handle = .standardInput
        } else if let opened = FileHandle(forReadingAtPath: path) {
            handle = opened
        } else {
            throw Failure(.usage, "cannot read \(path)")
        }
    }

    /// The next line without its end; nil at the end of the file.
    mutating func next() throws -> ArraySlice<UInt8>? {
        var scanned = start
        while true {
            if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                defer { start = end + 1 }
                return trimmed(buffer[start..<end])
            }
            scanned = buffer.count
            if isAtEnd {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return trimmed(buffer[start...])
            }
            guard buffer.count - start <= Self.lineLimitBytes else {
                throw Failure(.wrong, "a line is longer than \(Self.lineLimitBytes) bytes")
            }
            let block = try handle.read(upToCount: Self.blockBytes) ?? Data()
            isAtEnd = block.isEmpty
            buffer.removeFirst(start)
            scanned -= start
            start = 0
            buffer += block
        }
    }

    private func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        line.last == UInt8(ascii: "\r") ? line.dropLast() : line
    }
}
