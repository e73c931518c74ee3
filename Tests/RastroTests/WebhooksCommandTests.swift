import ArgumentParser
import Testing

@testable import rastro

struct WebhooksCommandTests {
    @Test(arguments: [
        ["shop", "--url", "https://shop.example/events"],
        ["shop", "--url", "http://10.0.0.1:9000/", "--type", "UPDATED", "--product", "5", "--from", "1"],
        ["shop", "--url", "https://shop.example/", "--timeout", "30", "--concurrency", "64"],
    ])
    func `a webhook is taken`(arguments: [String]) throws {
        _ = try Webhooks.Add.parse(arguments)
    }

    @Test(arguments: [
        ["shop"], ["-shop", "--url", "https://a.example/"], ["product-events", "--url", "https://a.example/"],
        ["shop", "--url", "ftp://a.example/"], ["shop", "--url", "https://u:p@a.example/"],
        ["shop", "--url", "https://a.example/", "--timeout", "0"],
        ["shop", "--url", "https://a.example/", "--concurrency", "65"],
        ["shop", "--url", "https://a.example/", "--type", "CHANGED"],
        ["shop", "--url", "https://a.example/", "--product", "0"],
        ["shop", "--url", "https://a.example/", "--from", "0"],
    ])
    func `anything else is refused before the database is asked`(arguments: [String]) {
        #expect(throws: (any Error).self) { try Webhooks.Add.parse(arguments) }
    }

    @Test(arguments: [["shop"], ["shop", "--type", "UPDATED", "--all-types"], ["shop", "--url", "x"]])
    func `a change says soundly what is to change`(arguments: [String]) {
        #expect(throws: (any Error).self) { try Webhooks.Change.parse(arguments) }
    }

    @Test(arguments: [["--webhook-networks", "10.0.0.0/33"], ["--webhook-networks", "localhost"]])
    func `networks are blocks of addresses`(arguments: [String]) {
        #expect(throws: (any Error).self) { try Serve.parse(arguments) }
    }
}
