import ArgumentParser
import Testing

@testable import rastro

struct QueueCommandTests {
    @Test(
        "a redrive names its queue and says why",
        arguments: [
            ["d.fifo", "--reason", "mended"], ["d.fifo", "--to", "other.fifo", "--per-second", "500", "--reason", "r"],
            ["d.fifo", "--detach", "--json", "--reason", "r"],
        ]
    )
    func accepted(arguments: [String]) throws {
        _ = try Queue.Redrive.parse(arguments)
    }

    @Test(
        "anything else is refused before the database is asked",
        arguments: [
            ["d.fifo"], ["--reason", "mended"], ["d.fifo", "--reason", " "],
            ["d.fifo", "--reason", "r", "--per-second", "0"], ["d.fifo", "--reason", "r", "--per-second", "501"],
            ["d.fifo", "--reason", "r", "--to", "d.fifo"],
        ]
    )
    func refused(arguments: [String]) {
        #expect(throws: (any Error).self) { try Queue.Redrive.parse(arguments) }
    }
}
