import Testing

@testable import rastro

@Suite("ProgressReport")
struct ProgressReportTests {
    private func line(_ count: Int, _ part: ProgressReport.Part?) -> String {
        ProgressReport.line("rows", count: count, part: part, seconds: 2)
    }

    @Test("draws a bar of a whole that is known")
    func bar() {
        let half = String(repeating: "█", count: 15) + String(repeating: "·", count: 15)
        #expect(line(1_000, .init(done: 1_250_000, of: 2_500_000)) == "rows \(half) 1.2 of 2.5 MB  1000  500/s")
        let full = String(repeating: "█", count: 30)
        #expect(line(4, .init(done: 9, of: 4)).hasPrefix("rows \(full) "))
    }

    @Test("counts when the whole is unknown or empty")
    func count() {
        #expect(line(1_000, nil) == "rows 1000  500/s")
        #expect(line(0, .init(done: 0, of: 0)) == "rows 0  0/s")
    }
}
