import Catalog
import LibPQ
import Testing

@testable import EventLog

@Suite("Whom the committer serves")
struct CommitterAccessTests {
    @Test("USER_REGISTERED comes once a user, before anything else of his")
    func registration() async throws {
        try await TestLog.run { test in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<60 {
                    group.addTask {
                        let user = "user \(number % 6)"
                        if number.isMultiple(of: 2) {
                            try await test.submit(TestLog.creation("code \(number)"), as: user)
                        } else {
                            try await test.submit(.fetch(try #require(ProductID(900_000))), as: user)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let events = try test.events()
            let registered = events.filter { $0.type == .userRegistered }
            #expect(registered.compactMap(\.userID).sorted() == (0..<6).map { "user \($0)" })
            for event in registered {
                #expect(events.first { $0.userNumber == event.userNumber }?.position == event.position)
                let userID = try #require(event.userID.flatMap(UserID.init(any:)))
                let key = try #require(event.userKey)
                #expect(ActorCommitment(userID: userID, key: key).actor == event.actor)
            }
            try test.checkLog()
        }
    }

    @Test("a revoked key is refused by both paths and leaves no event", arguments: [true, false])
    func revokedKey(byFetch: Bool) async throws {
        try await TestLog.run { test in
            let product = try await test.create("A")
            let owner = try #require(UserID(any: "ana"))
            let keys = KeyAdministration(log: test.log, context: .system(.server))
            let issued = try await keys.create(owner: owner, scopes: [.productsRead])
            let key = try #require(try test.asServing { try APIKey.read($0, keyID: issued.keyID) })
            #expect(key.userID == owner && key.scopes == [.productsRead])
            let presented = try #require(APIKeyText(issued.text))
            #expect(key.matches(presented) && !key.matches(APIKeyText(keyID: issued.keyID)))

            let work: Work = byFetch ? .fetch(product.id) : try TestLog.patch(product.id, #"{"name":"x"}"#)
            let before = try TestLog.context(label: "before", client: key.client)
            #expect(try await test.log.submit(work, context: before).product != nil)
            #expect(try await keys.revoke(issued.keyID) != nil)
            #expect(try await keys.revoke(issued.keyID) == nil)
            let end = try test.events().count
            let after = try TestLog.context(label: "after", client: key.client)
            await #expect(throws: CommitError.keyRevoked) { try await test.log.submit(work, context: after) }
            let events = try test.events()
            #expect(events.count == end && events.first { $0.requestID == "before" }?.clientID == issued.keyID)
            #expect(try test.asServing { try APIKey.read($0, keyID: issued.keyID) } == nil)
        }
    }

    @Test(
        "neither a revoked key nor a rotated secret makes events, even in a new user's name",
        arguments: [true, false]
    )
    func newUserByDeadKey(rotated: Bool) async throws {
        try await TestLog.run { test in
            let product = try await test.create("A")
            let keys = KeyAdministration(log: test.log, context: .system(.server))
            let issued = try await keys.create(owner: try #require(UserID(any: "ben")), scopes: [.actAs])
            let key = try #require(try test.asServing { try APIKey.read($0, keyID: issued.keyID) })
            if rotated {
                _ = try #require(try await keys.rotate(issued.keyID))
            } else {
                _ = try #require(try await keys.revoke(issued.keyID))
            }
            let end = try test.events().count
            for (number, work) in [Work.fetch(product.id), try TestLog.creation("B")].enumerated() {
                let context = try TestLog.context("newcomer-\(number)", client: key.client)
                await #expect(throws: CommitError.keyRevoked) { try await test.log.submit(work, context: context) }
            }
            #expect(try test.events().count == end)
            guard rotated else { return }
            let renewed = try #require(try test.asServing { try APIKey.read($0, keyID: issued.keyID) })
            let context = try TestLog.context("newcomer", client: renewed.client)
            #expect(try await test.log.submit(.fetch(product.id), context: context).product != nil)
        }
    }

    @Test("one caller with a revoked key does not disturb the others of his batch")
    func revokedKeyAmongOthers() async throws {
        try await TestLog.run { test in
            let product = try await test.create("A")
            let keys = KeyAdministration(log: test.log, context: .system(.server))
            let issued = try await keys.create(owner: try #require(UserID(any: "ben")), scopes: [.productsRead])
            let key = try #require(try test.asServing { try APIKey.read($0, keyID: issued.keyID) })
            _ = try await keys.revoke(issued.keyID)
            let refused = try TestLog.context("ben", client: key.client)
            let served = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        let context = number.isMultiple(of: 5) ? refused : try TestLog.context()
                        do {
                            return try await test.log.submit(.fetch(product.id), context: context).product != nil
                        } catch let error as CommitError {
                            #expect(error == .keyRevoked)
                            return false
                        }
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(served == 80)
            #expect(try test.events().count { $0.type == .fetched } == 80)
            try test.checkLog()
        }
    }

    @Test("a full queue refuses at once, and what was queued is still committed")
    func overload() async throws {
        try await TestLog.prepared {
            $0.queueLimit = 3
        } _: { test in
            let log = test.log
            let contexts = try (0..<3).map { try TestLog.context(label: "queued-\($0)") }
            let work = try (0..<3).map { try TestLog.creation("Q-\($0)") }
            let queued = (0..<3).map { index in
                Task { try await log.submit(work[index], context: contexts[index]) }
            }
            while log.queueDepth < 3 { await Task.yield() }
            await #expect(throws: CommitError.overloaded) {
                try await log.submit(TestLog.creation("Q-3"), context: TestLog.context())
            }
            try await TestLog.running(log) {
                for task in queued {
                    let outcome = try await task.value
                    #expect(outcome.product != nil)
                }
            }
            #expect(log.queueDepth == 0)
            await #expect(throws: CommitError.shuttingDown) {
                try await log.submit(TestLog.creation("Q-4"), context: TestLog.context())
            }
            try test.checkLog()
        }
    }

    @Test("a submission that the database refuses fails alone")
    func poison() async throws {
        try await TestLog.prepared { test in
            let broken = Note(type: .operated, data: Array(#"{"unfinished":"#.utf8))
            let answers = try await test.asOneBatch([
                TestLog.creation("A"), .note(broken), TestLog.creation("B"), .note(Note(type: .operated)),
            ])
            #expect(throws: CommitError.refused(sqlState: "22P02")) { try answers[1].get() }
            #expect(try answers[0].get().product?.code == "A")
            #expect(try answers[2].get().product?.code == "B")
            #expect(try answers[3].get().position == 4)
            #expect(try test.events().map(\.type) == [.userRegistered, .created, .created, .operated])
            try test.checkLog()
        }
    }

    @Test("a program older than the log asks for writes nothing")
    func oldProgram() async throws {
        try await TestLog.run { test in
            let product = try await test.create("A")
            try test.asOwner { try $0.execute("update log_head set min_writer = \(LogFormat.current + 1)") }
            let end = try test.events().count
            await #expect(throws: CommitError.programTooOld) { try await test.submit(.fetch(product.id)) }
            await #expect(throws: CommitError.programTooOld) { try await test.submit(TestLog.creation("B")) }
            #expect(try test.events().count == end)
        }
    }
}
