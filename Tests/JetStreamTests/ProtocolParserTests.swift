import NIOCore
import Testing

@testable import JetStream

@Suite("ProtocolParser")
struct ProtocolParserTests {
    private func parse(_ text: String, limits: ProtocolParser.Limits = .init()) throws -> [ServerOperation] {
        var parser = ProtocolParser(limits: limits)
        parser.append(ByteBuffer(string: text))
        var operations: [ServerOperation] = []
        while let operation = try parser.next() { operations.append(operation) }
        return operations
    }

    @Test("reads each operation of a server")
    func operations() throws {
        let operations = try parse(
            "INFO {\"a\":1}\r\nPING\r\npong\r\n+OK\r\n-ERR 'Authorization Violation'\r\n"
                + "MSG a.b 1 5\r\nhello\r\nmsg a.b 12 r.1\t0\r\n\r\n"
                + "HMSG s 1 r 31 33\r\nNATS/1.0 503 No one\r\nA: b c\r\n\r\nhi\r\n"
        )
        #expect(operations.count == 8)
        #expect(
            operations.prefix(5) == [
                .info(Array("{\"a\":1}".utf8)), .ping, .pong, .acknowledged, .error("Authorization Violation"),
            ]
        )
        guard case .message(let plain) = operations[5], case .message(let empty) = operations[6],
            case .message(let full) = operations[7]
        else { return #expect(Bool(false), "no messages") }
        #expect(plain.subject == "a.b" && plain.subscription == "1" && plain.reply == nil)
        #expect(plain.payload == ByteBuffer(string: "hello") && plain.headers.isEmpty)
        #expect(empty.subscription == "12" && empty.reply == "r.1" && empty.payload.readableBytes == 0)
        #expect(full.headers.status == 503 && full.headers["A"] == "b c" && full.payload == ByteBuffer(string: "hi"))
    }

    @Test("reads the same operations however the bytes are cut", arguments: 0..<200 as Range<UInt64>)
    func splits(seed: UInt64) throws {
        var random = Numbers(state: seed)
        let count = Int.random(in: 1...20, using: &random)
        let expected = (0..<count).map { _ in ServerOperation.any(using: &random) }
        var bytes = ByteBuffer()
        for operation in expected { operation.write(into: &bytes) }
        var parser = ProtocolParser()
        var read: [ServerOperation] = []
        while let piece = bytes.readSlice(length: min(bytes.readableBytes, Int.random(in: 1...40, using: &random))) {
            if piece.readableBytes == 0 { break }
            parser.append(piece)
            while let operation = try parser.next() { read.append(operation) }
        }
        #expect(read == expected, "seed \(seed)")
    }

    @Test("never crashes and never goes on after garbage", arguments: 0..<200 as Range<UInt64>)
    func garbage(seed: UInt64) {
        var random = Numbers(state: seed)
        var bytes = ByteBuffer()
        for _ in 0..<5 { ServerOperation.any(using: &random).write(into: &bytes) }
        var text = Array(bytes.readableBytesView)
        for _ in 0..<Int.random(in: 1...5, using: &random) {
            text[Int.random(in: text.indices, using: &random)] = UInt8.random(in: 0 ... .max, using: &random)
        }
        var parser = ProtocolParser()
        parser.append(ByteBuffer(bytes: text))
        var count = 0
        while let operation = try? parser.next(), count <= text.count {
            count += 1
            if case .message(let message) = operation { #expect(message.payload.readableBytes <= text.count) }
        }
        #expect(count <= text.count, "seed \(seed)")
    }

    @Test("after an error nothing is read, however well it looks")
    func standsStill() throws {
        var parser = ProtocolParser()
        parser.append(ByteBuffer(string: "HELLO\r\nPING\r\n"))
        let error = try #require(throws: NATSError.self) { try parser.next() }
        #expect(throws: error) { try parser.next() }
        parser.append(ByteBuffer(string: "PONG\r\n"))
        #expect(throws: error) { try parser.next() }
    }

    @Test("keeps little of what was read, though something unread always remains")
    func memory() throws {
        var parser = ProtocolParser()
        var most = 0
        // Cut in the middle of a message each time.
        let head = "MSG a 1 100\r\n"
        let piece = String(repeating: "x", count: 100) + "\r\n" + head
        parser.append(ByteBuffer(string: head))
        for _ in 0..<20_000 {
            parser.append(ByteBuffer(string: piece))
            while try parser.next() != nil {}
            #expect(!parser.isEmpty)
            most = max(most, parser.keptBytes)
        }
        #expect(most < 80_000)
    }

    @Test(
        "refuses what the protocol does not allow",
        arguments: [
            "HELLO\r\n", "\r\n", "PING\n", "MSG a 1\r\n", "MSG a 1 r x 5\r\nhello\r\n", "MSG a 1 -5\r\n",
            "MSG a 1 5x\r\n",
            "MSG a 1 99999999999999999999\r\n", "MSG a 1 3\r\nhello\r\n", "HMSG a 1 5 4\r\n",
            "HMSG a 1 12 12\r\nNATS/1.0\r\nAB\r\n", "HMSG a 1 4 4\r\nNATS\r\n", "HMSG a 1 12 12\r\nNATS/1.0\r\n: \r\n",
            "HMSG a 1 16 16\r\nNATS/1.0 wide\r\n\r\n\r\n", "HMSG a 1 10 10\r\nNATS/1.0\r\n\r\n",
        ]
    )
    func refuses(text: String) {
        let error = #expect(throws: NATSError.self) { try parse(text) }
        #expect(error?.code == .protocolViolation)
    }

    @Test("holds its limits: line, message, headers")
    func limits() throws {
        var limits = ProtocolParser.Limits()
        limits.lineBytes = 30
        limits.messageBytes = 40
        limits.headerBytes = 20
        #expect(throws: NATSError.self) { try parse(String(repeating: "P", count: 31), limits: limits) }
        #expect(throws: NATSError.self) {
            try parse("INFO " + String(repeating: "x", count: 40) + "\r\n", limits: limits)
        }
        #expect(throws: NATSError.self) { try parse("MSG a 1 41\r\n", limits: limits) }
        #expect(throws: NATSError.self) { try parse("HMSG a 1 21 30\r\n", limits: limits) }
        #expect(try parse("MSG a 1 40\r\n" + String(repeating: "x", count: 40) + "\r\n", limits: limits).count == 1)
        #expect(try parse(String(repeating: "P", count: 30), limits: limits).isEmpty)
    }
}

/// Numbers that a seed tells (SplitMix64).
struct Numbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var value = state
        value = (value ^ value >> 30) &* 0xbf58_476d_1ce4_e5b9
        value = (value ^ value >> 27) &* 0x94d0_49bb_1331_11eb
        return value ^ value >> 31
    }
}

extension ServerOperation {
    static func any(using random: inout Numbers) -> ServerOperation {
        switch Int.random(in: 0..<8, using: &random) {
        case 0: .ping
        case 1: .pong
        case 2: .acknowledged
        case 3: .error("Permissions Violation for \(random.next())")
        case 4: .info(Array("{\"max_payload\":\(random.next())}".utf8))
        default: .message(.any(using: &random))
        }
    }

    func write(into buffer: inout ByteBuffer) {
        switch self {
        case .ping: buffer.writeString("PING\r\n")
        case .pong: buffer.writeString("PONG\r\n")
        case .acknowledged: buffer.writeString("+OK\r\n")
        case .error(let text): buffer.writeString("-ERR '\(text)'\r\n")
        case .info(let json):
            buffer.writeString("INFO ")
            buffer.writeBytes(json)
            buffer.writeString("\r\n")
        case .message(let message):
            var block = ByteBuffer()
            if !message.headers.isEmpty { message.headers.write(into: &block) }
            let total = block.readableBytes + message.payload.readableBytes
            buffer.writeString(message.headers.isEmpty ? "MSG" : "HMSG")
            buffer.writeString(" \(message.subject) \(message.subscription)")
            if let reply = message.reply { buffer.writeString(" \(reply)") }
            if !message.headers.isEmpty { buffer.writeString(" \(block.readableBytes)") }
            buffer.writeString(" \(total)\r\n")
            buffer.writeImmutableBuffer(block)
            buffer.writeImmutableBuffer(message.payload)
            buffer.writeString("\r\n")
        }
    }
}

extension NATSMessage {
    fileprivate static func any(using random: inout Numbers) -> NATSMessage {
        var headers = NATSHeaders()
        for number in 0..<Int.random(in: 0..<4, using: &random) {
            headers.add("Name-\(number)", String(repeating: "v", count: Int.random(in: 0..<9, using: &random)))
        }
        // Line ends within a body mean nothing.
        let letters: [UInt8] = [0x0d, 0x0a, 0x41]
        var body: [UInt8] = []
        for _ in 0..<Int.random(in: 0..<80, using: &random) {
            body.append(letters[Int.random(in: 0..<3, using: &random)])
        }
        return NATSMessage(
            subject: "a.\(Int.random(in: 0..<9_999, using: &random))",
            subscription: "1",
            reply: Bool.random(using: &random) ? "_INBOX.x" : nil,
            headers: headers,
            payload: ByteBuffer(bytes: body)
        )
    }
}
