import Catalog
import Testing

@testable import Gateway

struct QueryParametersTests {
    @Test func `values are decoded`() throws {
        let query = try QueryParameters(query: "a=x%2By+z&b=%C3%A9&c&&d==", known: ["a", "b", "c", "d", "e"])
        #expect(query["a"] == "x+y z")
        #expect(query["b"] == "é")
        #expect(query["c"] == "")
        #expect(query["d"] == "=")
        #expect(query["e"] == nil)
    }

    @Test(arguments: ["x=1", "a=1&a=2", "a=1&%61=2", "a=%", "a=%4", "a=%zz", "a=%ff", "a=%00", "=1", "A=1"])
    func `what is unknown, repeated or undecodable is refused`(_ query: String) {
        #expect(problem { _ = try QueryParameters(query: query, known: ["a", "b"]) } == .invalidQuery)
    }

    @Test(arguments: ["0", "201", "-1", "+5", "05", "5.0", "1e2", "", "abc", "99999999999999999999", "٥"])
    func `an integer out of its range is refused`(_ text: String) throws {
        let query = try QueryParameters(query: "limit=\(text == "+5" ? "%2B5" : text)", known: ["limit"])
        #expect(problem { _ = try query.integer("limit", in: 1...200) } == .invalidQuery)
    }

    @Test func `an integer within its range is read`() throws {
        let query = try QueryParameters(query: "limit=200", known: ["limit"])
        #expect(try query.integer("limit", in: 1...200) == 200)
        #expect(try query.integer("other", in: 1...200) == nil)
    }

    @Test(arguments: ["1", "5", "9007199254740991"])
    func `a product id in a path is read`(_ text: String) throws {
        #expect(try PathID(text).productID().description == text)
    }

    @Test(arguments: ["9007199254740992", "9223372036854775807"])
    func `a path id beyond every product is not found`(_ text: String) throws {
        let number = try #require(Int64(text))
        #expect(try PathID(text) == .beyondRange(number))
        #expect(try PathID(text).number == number)
        #expect(problem { _ = try PathID(text).productID() } == .productNotFound)
    }

    @Test(arguments: [
        "", "0", "-1", "+1", "01", "1.0", "1e3", "abc", "0x10", "9223372036854775808", "99999999999999999999999", "%35",
        "٥", "1 ",
    ])
    func `a path id that is no positive 64-bit integer is refused`(_ text: String) {
        #expect(problem { _ = try PathID(text) } == .invalidPath)
    }
}

/// The code of the problem that `body` throws; nil if none.
func problem(_ body: () throws -> Void) -> ProblemCode? {
    do {
        try body()
        return nil
    } catch {
        return (error as? Problem)?.code
    }
}
