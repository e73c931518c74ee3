import Catalog
import LibPQ
import Testing

@testable import EventLog

@Suite("The committer")
struct CommitterTests {
    @Test("creates, fetches, replaces, patches and deletes, one event each")
    func outcomes() async throws {
        try await TestLog.run { test in
            let made = try await test.submit(TestLog.creation("A-1"))
            let product = try #require(made.product)
            #expect(product.version == 1 && product.code == "A-1" && product.createdAt == product.updatedAt)
            #expect(made.changed == true && made.position == 2)

            let fetched = try await test.submit(.fetch(product.id))
            #expect(fetched.product == product && fetched.changed == false && fetched.position == 3)

            let fields = try TestLog.fields("A-2", name: "Table", price: 5)
            let replacement = try Replacement(fields: fields)
            let replaced = try await test.submit(.command(.replace(product.id, replacement, .versions([1]))))
            #expect(replaced.product?.version == 2 && replaced.product?.fields == fields && replaced.position == 4)

            let patched = try await test.submit(TestLog.patch(product.id, #"{"price":7.5}"#))
            #expect(patched.product?.version == 3 && patched.product?.price.description == "7.5")
            let same = try await test.submit(TestLog.patch(product.id, #"{"price":7.5}"#))
            #expect(same.product?.version == 3 && same.changed == false && same.position == 6)

            let deleted = try await test.submit(.command(.delete(product.id, .none)))
            #expect(deleted.isDeleted && deleted.position == 7)
            let types: [EventType] = [.userRegistered, .created, .fetched, .updated, .updated, .fetched, .deleted]
            #expect(try test.events().map(\.type) == types)
            #expect(try test.events().map(\.version) == [nil, 1, 1, 2, 3, 3, 4])
            try test.checkLog()
        }
    }

    @Test("refuses what the rules refuse; of these only NOT_FOUND is recorded")
    func rejections() async throws {
        try await TestLog.run { test in
            let (one, two) = (try await test.create("A"), try await test.create("B"))
            let end = Int64(try test.events().count)
            let stale = try await test.submit(TestLog.patch(one.id, #"{"name":"x"}"#, if: .versions([9])))
            #expect(stale.rejection == .preconditionFailed(current: 1) && stale.position == nil)
            let taken = try await test.submit(TestLog.recode(two.id, "A"))
            #expect(taken.rejection == .codeTaken(by: one.id) && taken.position == nil)
            let again = try await test.submit(TestLog.creation("C", id: one.id))
            #expect(again.rejection == .idTaken(one.id) && again.position == nil)

            let unknown = try #require(ProductID(4_711))
            let missing = try await test.submit(.fetch(unknown))
            #expect(missing.rejection == .notFound(unknown) && missing.position == end + 1)
            let nothing = try await test.submit(.command(.delete(unknown, .none)))
            #expect(nothing.rejection == .notFound(unknown) && nothing.position == end + 2)

            try await test.submit(.command(.delete(one.id, .none)))
            let gone = try await test.submit(.fetch(one.id))
            #expect(gone.rejection == .gone(one.id, version: 2) && gone.position == end + 4)
            let reused = try await test.submit(TestLog.creation("D", id: one.id))
            #expect(reused.rejection == .idUsed(one.id))
            let recorded = try test.events().dropFirst(Int(end)).map(\.type)
            #expect(recorded == [.notFound, .notFound, .deleted, .notFound])
            #expect(try test.events().last?.productID == one.id.rawValue)
            try test.checkLog()
        }
    }

    @Test("an id that a client named is never assigned to another product")
    func namedIDs() async throws {
        try await TestLog.run { test in
            for number in [1, 2, 3, 5, 8] as [Int64] {
                let id: ProductID = try #require(ProductID(number))
                _ = try await test.create("named-\(number)", id: id)
            }
            var ids: Set<ProductID> = []
            for number in 0..<20 { ids.insert(try await test.create("free-\(number)").id) }
            #expect(ids.count == 20 && ids.allSatisfy { ![1, 2, 3, 5, 8].contains($0.rawValue) })
            try test.checkLog()
        }
    }

    @Test("judges several commands on one product in one batch in the order in which they came")
    func oneBatch() async throws {
        try await TestLog.prepared { test in
            let id = try #require(ProductID(77))
            let answers = try await test.asOneBatch([
                .fetch(id),
                TestLog.creation("A", id: id),
                .fetch(id),
                TestLog.patch(id, #"{"name":"second"}"#, if: .versions([1])),
                TestLog.patch(id, #"{"name":"third"}"#, if: .versions([1])),
                .list(after: 0, limit: 10),
                .command(.delete(id, .versions([2]))),
                .fetch(id),
                TestLog.creation("A"),
            ]).map { try $0.get() }
            #expect(answers[0].rejection == .notFound(id))
            #expect(answers[1].product?.version == 1)
            #expect(answers[2].product?.name == "Desk")
            #expect(answers[3].product?.version == 2)
            #expect(answers[4].rejection == .preconditionFailed(current: 2))
            #expect(answers[6].isDeleted)
            #expect(answers[7].rejection == .gone(id, version: 3))
            #expect(answers[8].product?.code == "A")
            #expect(answers.compactMap(\.position) == [2, 3, 4, 5, 6, 7, 8])
            let batches = try test.asOwner { try $0.rows("select count(*) from batches")[0].int64(0) }
            #expect(batches == 1, "these were to be one batch")
            try test.checkLog()
        }
    }

    @Test("a list by code shows who has the code at that point of the batch")
    func listByCodeWithinBatch() async throws {
        try await TestLog.prepared { test in
            let made = try await test.asOneBatch([
                try TestLog.creation("OLD", id: ProductID(7)),
                .listByCode("OLD"),
                try TestLog.patch(try #require(ProductID(7)), #"{"code":"NEW"}"#),
                .listByCode("OLD"),
                .listByCode("NEW"),
            ])
            let codes = try made.map { result -> [String]? in
                guard case .products(let shown, _) = try result.get().answer else { return nil }
                return shown.map(\.code)
            }
            #expect(codes == [nil, ["OLD"], nil, [], ["NEW"]])
            #expect(try test.events().filter { $0.type == .fetched }.map(\.code) == ["OLD", "NEW"])
            try test.checkLog()
        }
    }

    @Test("two products swap their codes, and a code moves on from a deleted product, within one batch")
    func swapWithinBatch() async throws {
        try await TestLog.prepared { test in
            let (one, two, three) = (ProductID(1), ProductID(2), ProductID(3))
            let ids = try (#require(one), #require(two), #require(three))
            let answers = try await test.asOneBatch([
                TestLog.creation("a", id: ids.0),
                TestLog.creation("b", id: ids.1),
                TestLog.recode(ids.0, "spare"),
                TestLog.recode(ids.1, "a"),
                TestLog.recode(ids.0, "b"),
                .command(.delete(ids.0, .none)),
                TestLog.creation("b", id: ids.2),
            ]).map { try $0.get() }
            #expect(answers.map(\.rejection) == Array(repeating: nil, count: 7))
            #expect(answers[3].product?.code == "a" && answers[4].product?.code == "b")
            try test.checkLog()
        }
    }

    @Test("concurrent swaps, deletions and re-creations of codes leave one holder of each code")
    func concurrentCodes() async throws {
        try await TestLog.run { test in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for pair in 0..<12 {
                    group.addTask {
                        let (a, b) = ("a\(pair)", "b\(pair)")
                        let (one, two) = (try await test.create(a), try await test.create(b))
                        for round in 0..<4 {
                            let (mine, other) = round.isMultiple(of: 2) ? (a, b) : (b, a)
                            #expect(try await test.submit(TestLog.recode(one.id, "t\(pair)")).changed == true)
                            #expect(try await test.submit(TestLog.recode(two.id, mine)).changed == true)
                            #expect(try await test.submit(TestLog.recode(one.id, other)).changed == true)
                        }
                        #expect(try await test.submit(.command(.delete(one.id, .none))).isDeleted)
                        #expect(try await test.create(a).code == a)
                    }
                }
                try await group.waitForAll()
            }
            try test.checkLog()
        }
    }

    @Test("of many that want one code at once exactly one gets it")
    func contendedCode() async throws {
        try await TestLog.run { test in
            let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
                for user in 0..<40 {
                    group.addTask { try await test.submit(TestLog.creation("wanted"), as: "user \(user % 5)") }
                }
                return try await group.reduce(into: [Outcome]()) { $0.append($1) }
            }
            let winner = try #require(outcomes.compactMap(\.product).first)
            #expect(outcomes.count { $0.product != nil } == 1)
            #expect(outcomes.count { $0.rejection == .codeTaken(by: winner.id) } == 39)
            try test.checkLog()
        }
    }

    @Test("200 concurrent fetches among changes get positions of their own and show the version that they record")
    func concurrentFetches() async throws {
        try await TestLog.run { test in
            var ids: [ProductID] = []
            for number in 0..<4 { ids.append(try await test.create("P-\(number)").id) }
            let products = ids
            let start = Int64(try test.events().count)
            let outcomes = try await withThrowingTaskGroup(of: Outcome.self) { group in
                for number in 0..<200 {
                    let id = products[number % 4]
                    group.addTask { try await test.submit(.fetch(id)) }
                    if number.isMultiple(of: 10) {
                        group.addTask { try await test.submit(TestLog.patch(id, #"{"name":"n\#(number)"}"#)) }
                    }
                }
                return try await group.reduce(into: [Outcome]()) { $0.append($1) }
            }
            #expect(outcomes.compactMap(\.position).sorted() == Array(start + 1...start + 220))
            let events = try test.events()
            for outcome in outcomes {
                let product = try #require(outcome.product)
                let event = events[Int(try #require(outcome.position)) - 1]
                #expect(event.version == product.version && event.productID == product.id.rawValue)
                #expect(event.type == (outcome.changed == true ? .updated : .fetched))
                if event.type == .fetched { #expect(event.code == product.code) }
            }
            #expect(events.count { $0.type == .fetched } == 200)
            try test.checkLog()
        }
    }

    @Test("a list records each product that it shows, and one of nothing records nothing")
    func lists() async throws {
        try await TestLog.run { test in
            let empty = try await test.submit(.list(after: 0, limit: 5))
            guard case .products(let none, _) = empty.answer else { throw Unexpected(answer: empty.answer) }
            #expect(none.isEmpty && empty.position == nil)
            var made: [Product] = []
            for number in 0..<7 { made.append(try await test.create("L-\(number)")) }
            let start = Int64(try test.events().count)
            let listed = try await test.submit(.list(after: 0, limit: 5))
            guard case .products(let shown, _) = listed.answer else { throw Unexpected(answer: listed.answer) }
            #expect(shown == made.sorted { $0.id < $1.id }.prefix(5).map(\.self))
            #expect(listed.position == start + 5)
            let byCode = try await test.submit(.listByCode("L-3"))
            guard case .products(let found, _) = byCode.answer else { throw Unexpected(answer: byCode.answer) }
            #expect(found == [made[3]])
            try test.checkLog()
        }
    }

    struct Unexpected: Error {
        let answer: Answer
    }
}
