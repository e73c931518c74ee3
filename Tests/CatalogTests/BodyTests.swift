import Catalog
import Testing

/// What POST, PUT and PATCH bodies may hold.
@Suite struct BodyTests {
    private let full =
        #"{"code":"C","name":"N","model":"M","price":19.90,"url":"http://a","expiresAt":"2030-01-31T12:00:00Z""#

    // MARK: POST

    @Test("a new product takes all fields")
    func create() throws {
        let new = try NewProduct(json: json(full + "}"))
        #expect(new.id == nil)
        let expected = ProductFields(
            code: "C",
            name: "N",
            model: "M",
            price: Price(decimal: "19.9")!,
            url: "http://a",
            expiresAt: Timestamp(rfc3339: "2030-01-31T12:00:00Z")
        )
        #expect(new.fields == expected)
    }

    @Test("a new product needs code, name and price; the rest has defaults")
    func createLeast() throws {
        let body = json(#"{"price":0,"name":"N","code":"C","url":null,"expiresAt":null,"id":null}"#)
        let new = try NewProduct(json: body)
        #expect(new.fields == ProductFields(code: "C", name: "N", model: "", price: .zero))
        #expect(faults { try NewProduct(json: json("{}")) } == ["/code required", "/name required", "/price required"])
    }

    @Test(
        "a client may name the id",
        arguments: [("7", 7), ("7.0", 7), ("70e-1", 7), ("9007199254740991", 9_007_199_254_740_991)]
    )
    func createWithID(text: String, id: Int64) throws {
        let new = try NewProduct(json: json(#"{"id":\#(text),"code":"C","name":"N","price":1}"#))
        #expect(new.id?.rawValue == id)
    }

    @Test(
        "an id that is none is refused",
        arguments: [
            ("0", "range"), ("-1", "range"), ("9007199254740992", "range"), ("1e400", "range"), ("1.5", "type"),
            ("1e-400", "type"), ("\"7\"", "type"), ("true", "type"), ("[]", "type"),
        ]
    )
    func createWithBadID(text: String, code: String) {
        let body = json(#"{"id":\#(text),"code":"C","name":"N","price":1}"#)
        #expect(faults { try NewProduct(json: body) } == ["/id \(code)"])
    }

    @Test("all faults are reported at once, in the body's order, then what is missing")
    func allAtOnce() {
        let body = json(
            #"{"version":1,"price":"1","x/y~z":0,"model":5,"url":"ftp://a","code":"","expiresAt":"soon","id":-1}"#
        )
        let expected = [
            "/version unknown_field", "/price type", "/x~1y~0z unknown_field", "/model type", "/url format",
            "/code empty", "/expiresAt format", "/id range", "/name required",
        ]
        #expect(faults { try NewProduct(json: body) } == expected)
    }

    @Test("at most a hundred faults are reported")
    func bounded() {
        let members = (0..<500).map { #""k\#($0)":1"# }.joined(separator: ",")
        #expect(faults { try NewProduct(json: json("{\(members)}")) }.count == 100)
    }

    @Test("a body that is no object is one fault of the whole", arguments: ["[]", "1", "\"{}\"", "null", "true"])
    func notAnObject(text: String) {
        #expect(faults { try NewProduct(json: json(text)) } == [" type"])
        #expect(faults { try Replacement(json: json(text), id: .number(5)) } == [" type"])
        #expect(faults { try Patch(json: json(text), id: .number(5)) } == [" type"])
    }

    @Test(
        "a price that is none is refused with its reason",
        arguments: [
            ("-1", "range"), ("-0.0001", "range"), ("100000000000", "range"), ("1e400", "range"),
            ("0.00001", "precision"), ("19.99999", "precision"), ("null", "required"), ("\"1\"", "type"),
            ("{}", "type"), ("true", "type"),
        ]
    )
    func prices(text: String, code: String) {
        let body = json(#"{"code":"C","name":"N","model":"","price":\#(text)}"#)
        #expect(faults { try NewProduct(json: body) } == ["/price \(code)"])
        #expect(faults { try Replacement(json: body, id: .number(5)) } == ["/price \(code)"])
        #expect(faults { try Patch(json: body, id: .number(5)) } == ["/price \(code)"])
    }

    @Test("U+0000, too much and nothing at all are told apart")
    func texts() {
        let long = String(repeating: "x", count: 201)
        let body = json(#"{"code":"a\u0000","name":"\#(long)","model":null,"price":1,"url":"","expiresAt":5}"#)
        let expected = ["/code nul", "/name too_long", "/model required", "/url empty", "/expiresAt type"]
        #expect(faults { try NewProduct(json: body) } == expected)
    }

    // MARK: PUT

    @Test("what GET gave can be put back: version and times are ignored, the id is the path's")
    func replace() throws {
        let tail = #","id":5,"version":"any","createdAt":0,"updatedAt":null}"#
        #expect(try Replacement(json: json(full + tail), id: .number(5)).fields.code == "C")
        #expect(faults { try Replacement(json: json(full + tail), id: .number(6)) } == ["/id mismatch"])
        #expect(faults { try Replacement(json: json(full + #","id":null}"#), id: .number(6)) } == ["/id type"])
    }

    @Test("a replacement needs what a new product needs, and the rest of what it leaves out is back at its default")
    func replaceFully() throws {
        let body = json(#"{"code":"C","name":"N","price":1}"#)
        let fields = try Replacement(json: body, id: .number(5)).fields
        #expect(fields.model == "")
        #expect(fields.url == nil)
        #expect(fields.expiresAt == nil)
        let missing = ["/code required", "/name required", "/price required"]
        #expect(faults { try Replacement(json: json(#"{"url":null}"#), id: .number(5)) } == missing)
    }

    // MARK: PATCH

    @Test("a patch sets what it names, clears what is null and keeps the rest")
    func patch() throws {
        let before = try NewProduct(json: json(full + "}")).fields
        var expected = before
        expected.price = Price(decimal: "1.5")!
        expected.url = nil
        let patch = try Patch(json: json(#"{"price":1.5,"url":null,"version":9,"id":5}"#), id: .number(5))
        #expect(patch.applied(to: before) == expected)
        #expect(try Patch(json: json("{}"), id: .number(5)).applied(to: before) == before)
    }

    @Test("null on a required field is a fault in a patch")
    func patchNull() {
        let body = json(#"{"code":null,"name":null,"model":null,"price":null,"id":6,"x":1}"#)
        let expected = [
            "/code required", "/name required", "/model required", "/price required", "/id mismatch",
            "/x unknown_field",
        ]
        #expect(faults { try Patch(json: body, id: .number(5)) } == expected)
    }

    // MARK: Other ways in

    @Test("fields that came another way are judged by the same rules")
    func fields() {
        let fields = ProductFields(code: "", name: "N", price: .zero, url: "x")
        #expect(faults { try NewProduct(fields: fields) } == ["/code empty", "/url format"])
        #expect(faults { try Replacement(fields: fields) } == ["/code empty", "/url format"])
    }

    private func json(_ text: String) -> JSONValue {
        do { return try JSONParser.parse(text.utf8) } catch {
            Issue.record("\(text): \(error)")
            return .null
        }
    }

    private func faults(_ body: () throws -> some Any) -> [String] {
        do {
            _ = try body()
            return []
        } catch {
            return (error as? FieldFaults)?.faults.map { "\($0.pointer) \($0.code.rawValue)" } ?? ["\(error)"]
        }
    }
}
