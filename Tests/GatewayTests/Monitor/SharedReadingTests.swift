import Synchronization
import Testing

@testable import Gateway

struct SharedReadingTests {
    private static func running<Value: Sendable>(
        _ reading: SharedReading<Value>,
        _ body: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await reading.run() }
            try await body()
            group.cancelAll()
        }
    }

    @Test func `however many ask at once, it is read once, and again when it is no longer fresh`() async throws {
        let count = Atomic(0)
        let reading = SharedReading<Int>(lifetime: .milliseconds(500)) {
            count.wrappingAdd(1, ordering: .relaxed).newValue
        }
        try await Self.running(reading) {
            await withTaskGroup(of: Int?.self) { group in
                for _ in 0..<100 { group.addTask { await reading.value() } }
                for await value in group { #expect(value == 1) }
            }
            let deadline = ContinuousClock.now + .seconds(20)
            while await reading.value() == 1, ContinuousClock.now < deadline { await Task.yield() }
            #expect(await reading.value() == 2)
        }
    }

    @Test func `a source that does not answer costs the patience, and has one reader`() async throws {
        let count = Atomic(0)
        let reading = SharedReading<Int>(patience: .milliseconds(50)) {
            count.wrappingAdd(1, ordering: .relaxed)
            try? await Task.sleep(for: .seconds(60))
            return 1
        }
        let start = ContinuousClock.now
        try await Self.running(reading) {
            for _ in 0..<3 { #expect(await reading.value() == nil) }
        }
        #expect(count.load(ordering: .relaxed) == 1)
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test func `that there is none is remembered too`() async throws {
        let count = Atomic(0)
        let reading = SharedReading<Int>(lifetime: .seconds(60)) {
            count.wrappingAdd(1, ordering: .relaxed)
            return nil
        }
        try await Self.running(reading) {
            for _ in 0..<5 { #expect(await reading.value() == nil) }
        }
        #expect(count.load(ordering: .relaxed) == 1)
    }

    @Test func `without its service it answers when the patience is over`() async {
        let reading = SharedReading<Int>(patience: .milliseconds(20)) { 1 }
        #expect(await reading.value() == nil)
    }
}
