import ArgumentParser
import Testing

@testable import rastro

struct DestinationsCommandTests {
    @Test(
        "a destination is a queue or a stream, whole and sound",
        arguments: [
            ["shop", "--queue-url", "https://sqs.eu-west-1.amazonaws.com/1/shop.fifo"],
            ["shop", "--nats-server", "nats://a:4222", "--nats-server", "tls://b:4222", "--stream", "PRODUCTS"],
            ["shop", "--nats-server", "nats://a:4222", "--stream", "P", "--nats-user", "u", "--password-file", "/p"],
        ]
    )
    func accepted(arguments: [String]) throws {
        _ = try DestinationsCommand.Add.parse(arguments)
    }

    @Test(
        "anything else is refused before the database is asked",
        arguments: [
            ["shop"], ["shop", "--stream", "PRODUCTS"],
            ["shop", "--queue-url", "https://q/1/a.fifo", "--nats-server", "nats://a:4222", "--stream", "P"],
            ["shop", "--queue-url", "ftp://q/1/a.fifo"], ["shop", "--nats-server", "nats://a:4222"],
            ["shop", "--nats-server", "http://a:4222", "--stream", "P"],
            ["shop", "--nats-server", "nats://a:4222", "--stream", "a.b"],
            ["shop", "--nats-server", "nats://a:4222", "--stream", "P", "--nats-user", "u"],
            ["-shop", "--queue-url", "https://q/1/a.fifo"],
            ["shop", "--queue-url", "https://q/1/a.fifo", "--from", "0"],
            ["shop", "--queue-url", "https://q/1/a.fifo", "--type", "CHANGED"],
            ["shop", "--queue-url", "https://q/1/a.fifo", "--product", "0"],
            ["product-events", "--queue-url", "https://q/1/a.fifo"],
        ]
    )
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try DestinationsCommand.Add.parse(arguments) }
    }
}
