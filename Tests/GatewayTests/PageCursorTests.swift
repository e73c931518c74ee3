import Testing

@testable import Gateway

struct PageCursorTests {
    private static let filter = "products code="
    private static let incarnation = "0a1b2c3d"

    @Test(arguments: [[0], [Int64.max], [-1, 7], []])
    func `a cursor comes back as it was given`(_ values: [Int64]) throws {
        let text = PageCursor(values).encode(filter: Self.filter, incarnation: Self.incarnation)
        let read = try PageCursor(text, filter: Self.filter, incarnation: Self.incarnation, count: values.count)
        #expect(read.values == values)
    }

    @Test func `a cursor is good for its own filter, log and list only`() {
        let text = PageCursor([5]).encode(filter: Self.filter, incarnation: Self.incarnation)
        for (filter, incarnation, count) in [
            ("products code=x", Self.incarnation, 1), (Self.filter, "ffffffff", 1), (Self.filter, Self.incarnation, 2),
        ] {
            let found = problem { _ = try PageCursor(text, filter: filter, incarnation: incarnation, count: count) }
            #expect(found == .invalidCursor)
        }
    }

    @Test func `a cursor with any character changed, cut or added is refused`() {
        let text = Array(PageCursor([5]).encode(filter: Self.filter, incarnation: Self.incarnation))
        var damaged = (0..<text.count).map { at in
            var copy = text
            copy[at] = copy[at] == "A" ? "B" : "A"
            return String(copy)
        }
        damaged += (0..<text.count).map { String(text.prefix($0)) }
        damaged += [String(text) + "A", String(text) + "=", "%%%", String(repeating: "A", count: 100_000)]
        for cursor in damaged {
            let found = problem {
                _ = try PageCursor(cursor, filter: Self.filter, incarnation: Self.incarnation, count: 1)
            }
            #expect(found == .invalidCursor, "\(cursor.prefix(80))")
        }
    }
}
