import Synchronization

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The system's random numbers, fetched many at a time: one call for each would cost an event more than its encoding.
enum RandomWords {
    private static let store = Mutex<[UInt64]>([])
    /// As much as the system gives in one call.
    private static let batch = 256 / MemoryLayout<UInt64>.size

    static func next() -> UInt64 {
        store.withLock { words in
            if let word = words.popLast() { return word }
            words = refill()
            return words.popLast() ?? UInt64.random(in: 0 ... .max)
        }
    }

    private static func refill() -> [UInt64] {
        [UInt64](unsafeUninitializedCapacity: batch) { buffer, count in
            let bytes = UnsafeMutableRawBufferPointer(buffer)
            count = getentropy(bytes.baseAddress, bytes.count) == 0 ? buffer.count : 0
        }
    }
}
