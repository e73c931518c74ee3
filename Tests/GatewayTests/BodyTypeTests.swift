import Testing

@testable import Gateway

struct BodyTypeTests {
    @Test(arguments: [
        "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
        "application/json ; profile=x",
    ])
    func `JSON is accepted`(_ type: String) {
        #expect(BodyType.json.accepts(type))
    }

    @Test(arguments: [
        "", "text/json", "application/json; charset=latin1", "application/jsonx", "application/merge-patch+json",
        "json",
        "application/json, text/plain",
    ])
    func `anything else is not`(_ type: String) {
        #expect(!BodyType.json.accepts(type))
    }
}
