import Catalog
import LibPQ
import Testing

@testable import EventLog

@Suite("Expiry")
struct ExpiryTests {
    @Test("a product whose time is over is ended once, by the server itself, and nobody else's product is")
    func expiry() async throws {
        try await TestLog.run { test in
            let over = try #require(Timestamp(rfc3339: "2001-01-01T00:00:00Z"))
            let later = try #require(Timestamp(rfc3339: "2999-01-01T00:00:00Z"))
            let due = try await make(test, "DUE", over)
            let kept = try await make(test, "KEPT", later)
            for _ in 0..<3 {
                _ = try await test.log.submit(.command(.expire(due)), context: .system(.expiry))
                _ = try await test.log.submit(.command(.expire(kept)), context: .system(.expiry))
            }
            let ended = try test.events().filter { $0.type == .expired }
            #expect(ended.map(\.productID) == [due.rawValue] && ended.map(\.version) == [2])
            #expect(ended.map(\.userID) == ["system:ttl"])
            let gone = try await test.log.submit(.fetch(due), context: TestLog.context())
            guard case .rejected(.gone(due, version: 2)) = gone.answer else {
                Issue.record("an expired product was shown: \(gone.answer)")
                return
            }
            let shown = try await test.log.submit(.fetch(kept), context: TestLog.context())
            guard case .product = shown.answer else {
                Issue.record("a product whose time is to come was not shown: \(shown.answer)")
                return
            }
            try test.asOwner { session in
                try ProjectionWalk(session: session).forEachPage { #expect($0.drift.isEmpty && $0.faults.isEmpty) }
            }
        }
    }

    @Test("a product whose time is over is gone for every command before its end is written")
    func goneAtOnce() async throws {
        try await TestLog.prepared { test in
            let id = try #require(ProductID(3))
            let over = try #require(Timestamp(rfc3339: "2001-01-01T00:00:00Z"))
            let price = try #require(Price(decimal: "1"))
            let fields = ProductFields(code: "DUE", name: "N", model: "", price: price, expiresAt: over)
            let results = try await test.asOneBatch([
                .create(try NewProduct(id: id, fields: fields)), .fetch(id),
                try TestLog.patch(id, #"{"name":"x"}"#), .listByCode("DUE"), .list(after: 0, limit: 10),
            ])
            for result in results[1...2] {
                guard case .rejected(.gone(id, version: 2)) = try result.get().answer else {
                    Issue.record("a product whose time is over was served: \(try result.get().answer)")
                    continue
                }
            }
            for result in results[3...4] {
                guard case .products(let shown, _) = try result.get().answer else { continue }
                #expect(shown.isEmpty)
            }
            #expect(try test.events().allSatisfy { $0.type != .fetched && $0.type != .updated })
        }
    }

    private func make(_ test: TestLog, _ code: String, _ expiresAt: Timestamp) async throws -> ProductID {
        let price = try #require(Price(decimal: "1"))
        let fields = ProductFields(code: code, name: "N", model: "", price: price, expiresAt: expiresAt)
        let made = try await test.log.submit(.create(try NewProduct(fields: fields)), context: TestLog.context())
        guard case .product(let product, _) = made.answer else { throw PostgresError(code: .decoding) }
        return product.id
    }
}
