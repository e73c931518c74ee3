import Catalog
import Testing

@Suite struct DecideTests {
    private let five = ProductID.number(5)
    private let time = Timestamp(microseconds: 1_000)
    private let fields = ProductFields(code: "COD5", name: "Desk", price: .zero)
    private var desk: Product { Product(id: five, fields: fields, version: 3, createdAt: time, updatedAt: time) }
    private var live: ProductState { .live(desk) }
    private var gone: ProductState { .deleted(last: desk, version: 4) }

    @Test("creating makes version 1 with the event's time")
    func create() throws {
        let product = Product(id: five, fields: fields, version: 1, createdAt: time, updatedAt: time)
        let command = Command.create(try NewProduct(fields: fields), assignedID: five)
        #expect(try judge(command, .absent) == [.created(product)])
    }

    @Test("the id that a client names goes before the assigned one")
    func namedID() throws {
        let command = Command.create(try NewProduct(id: .number(9), fields: fields), assignedID: five)
        #expect(command.productID == .number(9))
        #expect(try judge(command, .absent).first?.productID == .number(9))
    }

    @Test("creating is refused on an id that lives or lived, and on a code that is held")
    func createConflicts() throws {
        let command = Command.create(try NewProduct(fields: fields), assignedID: five)
        #expect(throws: Rejection.idTaken(five)) { try judge(command, live) }
        #expect(throws: Rejection.idUsed(five)) { try judge(command, gone) }
        #expect(throws: Rejection.codeTaken(by: .number(8))) { try judge(command, .absent, holder: .number(8)) }
    }

    @Test("every command but create is 404 before the id was used and 410 after", arguments: 0...3)
    func missing(which: Int) throws {
        for precondition in [Precondition.none, .exists, .versions([3, 4])] {
            let command = try commands(precondition)[which]
            #expect(throws: Rejection.notFound(five)) { try judge(command, .absent) }
            #expect(throws: Rejection.gone(five, version: 4)) { try judge(command, gone) }
        }
    }

    @Test("a precondition is judged before a conflict", arguments: 0...1)
    func order(which: Int) throws {
        let stale = try commands(.versions([2]))[which]
        #expect(throws: Rejection.preconditionFailed(current: 3)) { try judge(stale, live, holder: .number(8)) }
        let fresh = try commands(.versions([2, 3]))[which]
        #expect(throws: Rejection.codeTaken(by: .number(8))) { try judge(fresh, live, holder: .number(8)) }
    }

    @Test("an expiry ends a product whose time is over, from that very microsecond on, and does nothing otherwise")
    func expiry() throws {
        var due = desk
        due.fields.expiresAt = time
        #expect(try judge(.expire(five), .live(due)) == [.expired(due)])
        due.fields.expiresAt = time.advanced(byMicroseconds: 1)
        #expect(try judge(.expire(five), .live(due)) == [])
        for state in [ProductState.absent, live, gone] { #expect(try judge(.expire(five), state) == []) }
    }

    @Test("no version at all matches nothing; * matches whatever lives")
    func preconditions() throws {
        #expect(throws: Rejection.preconditionFailed(current: 3)) { try judge(.delete(five, .versions([])), live) }
        #expect(try judge(.delete(five, .exists), live) == [.deleted(desk)])
        #expect(try judge(.delete(five, .versions([3])), live) == [.deleted(desk)])
    }

    @Test("a change holds old and new values, the next version and the code after it")
    func change() throws {
        let event = try #require(try judge(commands(.none)[0], live).first)
        #expect(event.type == .updated)
        #expect(event.version == 4)
        #expect(event.code == "NEW")
        #expect(event.data == .updated([.code(from: "COD5", to: "NEW")]))
    }

    @Test("a PUT or PATCH that changes nothing is a fetch of the current version")
    func noChange() throws {
        let same: [Command] = [
            .replace(five, try Replacement(fields: fields), .versions([3])),
            .patch(five, try Patch(json: JSONParser.parse("{\"price\":0.0}".utf8), id: five), .none), .fetch(five),
        ]
        for command in same {
            // Its own code is held by itself, which is no conflict.
            #expect(try judge(command, live, holder: five) == [.fetched(desk)])
        }
    }

    @Test("a code that the product itself holds is no conflict")
    func ownCode() throws {
        #expect(try judge(commands(.none)[0], live, holder: five).first?.type == .updated)
    }

    @Test("a code that differs only in its normalisation is a change")
    func normalisation() throws {
        var (composed, decomposed) = (desk, fields)
        composed.fields.code = "\u{e9}"
        decomposed.code = "e\u{301}"
        let command = Command.replace(five, try Replacement(fields: decomposed), .none)
        #expect(try judge(command, .live(composed)).first?.type == .updated)
        #expect(throws: Rejection.codeTaken(by: .number(8))) {
            try judge(command, .live(composed), holder: .number(8))
        }
    }

    /// PUT and PATCH of another code, DELETE, fetch.
    private func commands(_ precondition: Precondition) throws -> [Command] {
        var other = fields
        other.code = "NEW"
        return [
            .replace(five, try Replacement(fields: other), precondition),
            .patch(five, try Patch(json: JSONParser.parse(#"{"code":"NEW"}"#.utf8), id: five), precondition),
            .delete(five, precondition), .fetch(five),
        ]
    }

    private func judge(
        _ command: Command,
        _ state: ProductState,
        holder: ProductID? = nil
    ) throws(Rejection) -> [ProductEvent] {
        try decide(command, state: state, codeHolder: { _ in holder }, at: time)
    }
}
