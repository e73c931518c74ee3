import LibPQ
import Testing

@Suite("Values go to the server and come back")
struct ValueRoundTripTests {
    private static let scalars = Statement(
        name: "scalars",
        text: """
            select $1::bigint, $2::integer, $3::smallint, $4::text, $5::bytea, $6::boolean, $7::uuid,
                $8::timestamptz, $9::json, $10::double precision
            """
    )

    @Test("each scalar type")
    func scalars() async throws {
        try await TestDatabase.withSession { session in
            let parameters = Parameters().int64(.min).int32(.max).int16(-7).text("grün 🦊").bytes([0, 255, 1])
                .bool(true).uuid((0x0123_4567_89ab_cdef, .max)).timestamp(microsecondsSinceEpoch: 1_234_567)
                .json(bytes: Array(#"{ "b":1,  "a":2}"#.utf8)).double(-0.5)
            let row = try #require(try session.query(Self.scalars, parameters).first)
            #expect(try row.int64(0) == .min)
            #expect(try row.int32(1) == .max)
            #expect(try row.int64(1) == Int64(Int32.max))
            #expect(try row.int16(2) == -7)
            #expect(try row.text(3) == "grün 🦊")
            #expect(try row.bytes(4) == [0, 255, 1])
            #expect(try row.bool(5))
            #expect(try row.uuid(6) == (0x0123_4567_89ab_cdef, .max))
            #expect(try row.timestamp(7) == 1_234_567)
            #expect(try row.text(8) == #"{ "b":1,  "a":2}"#)
            #expect(try row.double(9) == -0.5)
            #expect(try row.withBytes(4) { $0.count } == 3)
        }
    }

    @Test("NULL of each type, and that a getter of the plain form refuses it by the column's name")
    func nulls() async throws {
        try await TestDatabase.withSession { session in
            let parameters = Parameters().int64(nil).int32(nil).int16(nil).text(nil).bytes(nil).bool(nil).uuid(nil)
                .timestamp(microsecondsSinceEpoch: nil).json(bytes: nil).double(nil)
            let row = try #require(try session.query(Self.scalars, parameters).first)
            for column in 0..<10 { #expect(try row.isNull(column)) }
            #expect(try row.optionalInt64(0) == nil)
            #expect(try row.optionalText(3) == nil)
            #expect(try row.optionalUUID(6) == nil)
            let error = try #require(try failure { _ = try row.bytes(4) })
            #expect(error.code == .decoding)
            #expect(error.message.contains("bytea"))
        }
    }

    @Test("empty text and bytes are not NULL")
    func empties() async throws {
        let statement = Statement(name: "empties", text: "select $1::text, $2::bytea, $1::text is null")
        try await TestDatabase.withSession { session in
            let row = try #require(try session.query(statement, Parameters().text("").bytes([])).first)
            #expect(try row.text(0) == "")
            #expect(try row.bytes(1) == [])
            #expect(try !row.bool(2))
        }
    }

    private static let arrays = Statement(
        name: "arrays",
        text: """
            select $1::bigint[], $2::integer[], $3::smallint[], $4::text[], $5::bytea[], $6::timestamptz[], $7::uuid[],
                $8::json[], $9::boolean[], cardinality($1::bigint[])
            """
    )

    @Test("arrays of each type")
    func arrays() async throws {
        try await TestDatabase.withSession { session in
            let parameters = Parameters().int64Array([1, -2, .max]).int32Array([3]).int16Array([4, 5])
                .textArray(["", "ä", "b,\"c\""]).bytesArray([[], [1, 2]]).timestampArray([0, -1])
                .uuidArray([(1, 2), (3, 4)]).jsonArray([Array("[1]".utf8)]).boolArray([true, false])
            let row = try #require(try session.query(Self.arrays, parameters).first)
            #expect(try row.int64Array(0) == [1, -2, .max])
            #expect(try row.int32Array(1) == [3])
            #expect(try row.int16Array(2) == [4, 5])
            #expect(try row.textArray(3) == ["", "ä", "b,\"c\""])
            #expect(try row.bytesArray(4) == [[], [1, 2]])
            #expect(try row.timestampArray(5) == [0, -1])
            #expect(try row.uuidArray(6).map(\.1) == [2, 4])
            #expect(try row.jsonArray(7) == [Array("[1]".utf8)])
            #expect(try row.boolArray(8) == [true, false])
            #expect(try row.int32(9) == 3)
        }
    }

    @Test("empty arrays")
    func emptyArrays() async throws {
        try await TestDatabase.withSession { session in
            let parameters = Parameters().int64Array([Int64]()).int32Array([Int32]()).int16Array([Int16]())
                .textArray([String]()).bytesArray([[UInt8]]()).timestampArray([Int64]())
                .uuidArray([(UInt64, UInt64)]()).jsonArray([[UInt8]]()).boolArray([Bool]())
            let row = try #require(try session.query(Self.arrays, parameters).first)
            #expect(try row.int64Array(0) == [])
            #expect(try row.textArray(3) == [])
            #expect(try row.nullableBytesArray(4) == [])
            #expect(try row.int32(9) == 0)
        }
    }

    @Test("arrays with NULL among the elements, which the plain getter refuses")
    func arraysWithNulls() async throws {
        try await TestDatabase.withSession { session in
            let parameters = Parameters().int64Array([1, nil, 3] as [Int64?]).int32Array([nil] as [Int32?])
                .int16Array([nil, 1] as [Int16?]).textArray(["a", nil, ""] as [String?])
                .bytesArray([nil, []] as [[UInt8]?]).timestampArray([nil, 9] as [Int64?])
                .uuidArray([nil, (1, 1)] as [(UInt64, UInt64)?]).jsonArray([nil] as [[UInt8]?])
                .boolArray([nil] as [Bool?])
            let row = try #require(try session.query(Self.arrays, parameters).first)
            #expect(try row.nullableInt64Array(0) == [1, nil, 3])
            #expect(try row.nullableInt32Array(1) == [nil])
            #expect(try row.nullableInt16Array(2) == [nil, 1])
            #expect(try row.nullableTextArray(3) == ["a", nil, ""])
            #expect(try row.nullableBytesArray(4) == [nil, []])
            #expect(try row.nullableTimestampArray(5) == [nil, 9])
            #expect(try failure { _ = try row.int64Array(0) }?.code == .decoding)
        }
    }

    @Test("times against the server's own reading, the infinities included")
    func times() async throws {
        let statement = Statement(
            name: "times",
            text: """
                select $1::timestamptz = '2001-02-03 04:05:06.789012+00', 'infinity'::timestamptz,
                    '-infinity'::timestamptz, $2::timestamptz = 'infinity', $3::timestamptz = '-infinity'
                """
        )
        try await TestDatabase.withSession { session in
            let parameters = Parameters().timestamp(microsecondsSinceEpoch: 981_173_106_789_012)
                .timestamp(microsecondsSinceEpoch: .max).timestamp(microsecondsSinceEpoch: .min)
            let row = try #require(try session.query(statement, parameters).first)
            #expect(try row.bool(0))
            #expect(try row.timestamp(1) == .max)
            #expect(try row.timestamp(2) == .min)
            #expect(try row.bool(3))
            #expect(try row.bool(4))
        }
    }

    @Test("a getter of the wrong type or column is an error that names it")
    func wrongType() async throws {
        let statement = Statement(name: "wrong", text: "select 1::bigint as price, now() as moment, '{}'::jsonb as doc")
        try await TestDatabase.withSession { session in
            let rows = try session.query(statement)
            let row = try #require(rows.first)
            let error = try #require(try failure { _ = try row.text(0) })
            #expect(error.code == .decoding)
            #expect(error.message.contains("price"))
            #expect(try failure { _ = try row.int64(1) }?.message.contains("moment") == true)
            #expect(try failure { _ = try row.int64(99) }?.code == .decoding)
            #expect(try failure { _ = try row.int64Array(0) }?.code == .decoding)
            #expect(try row.text(2) == "{}")
            #expect(rows.column(named: "doc") == 2)
        }
    }

    @Test("parameters of the wrong number or type are refused before the server sees them")
    func wrongParameters() async throws {
        let statement = Statement(name: "typed", text: "select $1::timestamptz, $2::varchar")
        try await TestDatabase.withSession { session in
            let error = try failure { _ = try session.query(statement, Parameters().int64(1).text("x")) }
            #expect(error?.code == .invalidRequest)
            #expect(error?.message.contains("$1") == true)
            #expect(try failure { _ = try session.query(statement) }?.code == .invalidRequest)
            let good = Parameters().timestamp(microsecondsSinceEpoch: 0).text("x")
            #expect(try session.query(statement, good).count == 1)
        }
    }

    @Test("random integers, strings and bytes, many at once")
    func random() async throws {
        let seed = UInt64.random(in: 0 ... .max)
        try await TestDatabase.withSession { session in
            var generator = SplitMix(state: seed)
            let statement = Statement(
                name: "random",
                text: "select unnest($1::bigint[]), unnest($2::text[]), unnest($3::bytea[])"
            )
            for _ in 0..<20 {
                let count = Int.random(in: 1...200, using: &generator)
                let numbers = (0..<count).map { _ in Int64.random(in: .min ... .max, using: &generator) }
                let texts = numbers.map { String(repeating: "é\($0)", count: Int(UInt64(bitPattern: $0) % 40)) }
                let blobs = texts.map { Array($0.utf8.reversed()) }
                let parameters = Parameters().int64Array(numbers).textArray(texts).bytesArray(blobs)
                let rows = try session.query(statement, parameters)
                #expect(try rows.map { try $0.int64(0) } == numbers, "seed \(seed)")
                #expect(try rows.map { try $0.text(1) } == texts, "seed \(seed)")
                #expect(try rows.map { try $0.bytes(2) } == blobs, "seed \(seed)")
            }
        }
    }
}

/// The SplitMix64 generator.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
