import Catalog
import EmbeddedPostgres
import Foundation

/// What the figures were measured on.
struct BenchMachine: Sendable {
    private let processor: String
    private let cores: Int
    private let memoryBytes: UInt64
    private let system: String
    private let postgres: String
    /// Microseconds that the disk takes for 8 KiB and a flush: the median of many.
    private let flushMicroseconds: Double
    /// Of the last minute, before anything was measured.
    private let loadAverage: String

    private static let flushes = 200
    private static let blockBytes = 8_192

    /// Looks at the machine; takes a moment for the disk of `directory`.
    init(directory: String) throws {
        let processInfo = ProcessInfo.processInfo
        let description = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let model = description.split(separator: "\n").first { $0.hasPrefix("model name") }
        processor = model.map { $0.drop { $0 != ":" }.dropFirst(2) }.map(String.init) ?? "unknown processor"
        cores = processInfo.activeProcessorCount
        memoryBytes = processInfo.physicalMemory
        system = processInfo.operatingSystemVersionString
        postgres = "PostgreSQL \(try PostgresInstallation.find().majorVersion)"
        loadAverage = Self.loadAverage()
        flushMicroseconds = try Self.measureFlush(in: directory)
    }

    static func loadAverage() -> String {
        let text = (try? String(contentsOfFile: "/proc/loadavg", encoding: .utf8)) ?? ""
        return text.split(separator: " ").first.map(String.init) ?? "unknown"
    }

    var lines: [String] {
        [
            "\(processor), \(cores) cores, \(memoryBytes >> 30) GiB, \(system), \(postgres), \(Self.build)",
            "8 KiB and a flush take the disk \(BenchReport.number(flushMicroseconds)) µs; load average before "
                + "\(loadAverage), now \(Self.loadAverage())",
        ]
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("processor", processor)
        writer.member("cores", cores)
        writer.member("memoryBytes", Int64(clamping: memoryBytes))
        writer.member("system", system)
        writer.member("postgres", postgres)
        writer.member("build", Self.build)
        writer.key("flushMicroseconds")
        writer.raw(BenchReport.fixed(flushMicroseconds, 1))
        writer.member("loadAverageBefore", loadAverage)
        writer.member("loadAverageAfter", Self.loadAverage())
        writer.endObject()
    }

    private static var build: String {
        #if DEBUG
            "debug build: these figures mean little"
        #else
            "release build"
        #endif
    }

    private static func measureFlush(in directory: String) throws -> Double {
        let path = "\(directory)/rastro-bench-flush-\(UInt32.random(in: 0 ... .max))"
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(.unreachable, "cannot write in \(directory)") }
        defer {
            close(descriptor)
            unlink(path)
        }
        let block = [UInt8](repeating: 1, count: blockBytes)
        var samples: [Double] = []
        for _ in 0..<flushes {
            let start = ContinuousClock.now
            guard pwrite(descriptor, block, block.count, 0) == block.count, fdatasync(descriptor) == 0 else {
                throw Failure(.unreachable, "cannot write in \(directory)")
            }
            samples.append((ContinuousClock.now - start) / .microseconds(1))
        }
        return BenchFigure.median(samples)
    }
}
