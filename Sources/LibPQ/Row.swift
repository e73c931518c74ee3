internal import CLibPQ

/// One row of a result. Columns are numbered from 0.
///
/// Each getter throws `PostgresError` of code `.decoding`, naming the column, when the column does not exist, is of
/// another type, or is NULL (use the `optional…` form where NULL is expected). O(1) but for the bytes copied.
package struct Row: Sendable {
    let result: ResultStorage
    let index: Int

    package func isNull(_ column: Int) throws(PostgresError) -> Bool {
        try field(column).bytes == nil
    }

    /// The integer in a column of type `bigint`, `integer` or `smallint`.
    package func int64(_ column: Int) throws(PostgresError) -> Int64 { try require(optionalInt64(column), column) }
    /// The integer in a column of type `integer` or `smallint`.
    package func int32(_ column: Int) throws(PostgresError) -> Int32 { try require(optionalInt32(column), column) }
    package func int16(_ column: Int) throws(PostgresError) -> Int16 { try require(optionalInt16(column), column) }
    package func double(_ column: Int) throws(PostgresError) -> Double { try require(optionalDouble(column), column) }
    package func bool(_ column: Int) throws(PostgresError) -> Bool { try require(optionalBool(column), column) }
    /// The text of a column of a text type, `json`, `jsonb` or an enum.
    package func text(_ column: Int) throws(PostgresError) -> String { try require(optionalText(column), column) }
    /// A copy of the bytes of a column of type `bytea`, `json`, `jsonb` or a text type.
    package func bytes(_ column: Int) throws(PostgresError) -> [UInt8] { try require(optionalBytes(column), column) }
    /// The two halves of a UUID's big-endian form.
    package func uuid(_ column: Int) throws(PostgresError) -> (UInt64, UInt64) {
        try require(optionalUUID(column), column)
    }
    /// A `timestamptz` in microseconds since the Unix epoch; the infinities are `Int64.max` and `.min`.
    package func timestamp(_ column: Int) throws(PostgresError) -> Int64 {
        try require(optionalTimestamp(column), column)
    }

    package func optionalInt64(_ column: Int) throws(PostgresError) -> Int64? {
        let (oid, bytes) = try field(column)
        guard let bytes else { return nil }
        switch oid {
        case TypeOID.int8: return try integer(bytes, column)
        case TypeOID.int4: return Int64(try integer(bytes, column) as Int32)
        case TypeOID.int2: return Int64(try integer(bytes, column) as Int16)
        case TypeOID.oid: return Int64(try integer(bytes, column) as UInt32)
        default: throw mismatch(column, "bigint", oid)
        }
    }

    package func optionalInt32(_ column: Int) throws(PostgresError) -> Int32? {
        let (oid, bytes) = try field(column)
        guard let bytes else { return nil }
        switch oid {
        case TypeOID.int4: return try integer(bytes, column)
        case TypeOID.int2: return Int32(try integer(bytes, column) as Int16)
        default: throw mismatch(column, "integer", oid)
        }
    }

    package func optionalInt16(_ column: Int) throws(PostgresError) -> Int16? {
        guard let bytes = try typed(column, TypeOID.int2, "smallint") else { return nil }
        return try integer(bytes, column)
    }

    package func optionalDouble(_ column: Int) throws(PostgresError) -> Double? {
        guard let bytes = try typed(column, TypeOID.float8, "double precision") else { return nil }
        return Double(bitPattern: try integer(bytes, column))
    }

    package func optionalBool(_ column: Int) throws(PostgresError) -> Bool? {
        guard let bytes = try typed(column, TypeOID.bool, "boolean") else { return nil }
        return try integer(bytes, column) as UInt8 != 0
    }

    package func optionalText(_ column: Int) throws(PostgresError) -> String? {
        let (oid, bytes) = try field(column)
        guard let bytes else { return nil }
        if TypeOID.isText(oid) { return String(decoding: bytes, as: UTF8.self) }
        guard oid == TypeOID.jsonb else { throw mismatch(column, "text", oid) }
        return String(decoding: bytes.dropFirst(), as: UTF8.self)
    }

    package func optionalBytes(_ column: Int) throws(PostgresError) -> [UInt8]? {
        let (oid, bytes) = try field(column)
        guard let bytes else { return nil }
        if oid == TypeOID.bytea || TypeOID.isText(oid) { return Array(bytes) }
        guard oid == TypeOID.jsonb else { throw mismatch(column, "bytea", oid) }
        return Array(bytes.dropFirst())
    }

    package func optionalUUID(_ column: Int) throws(PostgresError) -> (UInt64, UInt64)? {
        guard let bytes = try typed(column, TypeOID.uuid, "uuid") else { return nil }
        guard bytes.count == 16 else { throw malformed(column) }
        let high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
        return (high, UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
    }

    package func optionalTimestamp(_ column: Int) throws(PostgresError) -> Int64? {
        let (oid, bytes) = try field(column)
        guard let bytes else { return nil }
        guard oid == TypeOID.timestamptz || oid == TypeOID.timestamp else {
            throw mismatch(column, "timestamptz", oid)
        }
        return TimestampCoding.decode(try integer(bytes, column))
    }

    /// Calls `body` with the value's bytes as they lie in the result, without a copy and whatever the type; an empty
    /// buffer for NULL. The buffer is valid only during the call.
    package func withBytes<T>(_ column: Int, _ body: (UnsafeRawBufferPointer) throws -> T) throws -> T {
        try withExtendedLifetime(result) {
            try body(try field(column).bytes ?? UnsafeRawBufferPointer(start: nil, count: 0))
        }
    }
}

// MARK: - Reading

extension Row {
    /// The column's type and bytes, nil for NULL. The bytes live as long as `result`, which `self` holds.
    @inline(__always)
    func field(_ column: Int) throws(PostgresError) -> (oid: UInt32, bytes: UnsafeRawBufferPointer?) {
        guard column >= 0, column < result.columnCount, index >= 0, index < result.rowCount else {
            throw PostgresError(.decoding, "the result has no column \(column) in row \(index)")
        }
        let row = Int32(truncatingIfNeeded: index)
        let number = Int32(truncatingIfNeeded: column)
        let oid = PQftype(result.pointer, number)
        if PQgetisnull(result.pointer, row, number) != 0 { return (oid, nil) }
        guard result.isBinary else {
            throw PostgresError(.decoding, "the column \(result.columnName(column)) is not in binary form")
        }
        let length = Int(PQgetlength(result.pointer, row, number))
        return (oid, UnsafeRawBufferPointer(start: PQgetvalue(result.pointer, row, number), count: length))
    }

    @inline(__always)
    func typed(
        _ column: Int,
        _ expected: UInt32,
        _ name: StaticString
    ) throws(PostgresError) -> UnsafeRawBufferPointer? {
        let (oid, bytes) = try field(column)
        guard let bytes else { return nil }
        guard oid == expected else { throw mismatch(column, name, oid) }
        return bytes
    }

    @inline(__always)
    func integer<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer,
        _ column: Int
    ) throws(PostgresError) -> Integer {
        guard bytes.count == MemoryLayout<Integer>.size else { throw malformed(column) }
        return Integer(bigEndian: bytes.loadUnaligned(as: Integer.self))
    }

    @inline(__always)
    func require<Value>(_ value: Value?, _ column: Int) throws(PostgresError) -> Value {
        guard let value else {
            throw PostgresError(.decoding, "the column \(result.columnName(column)) is NULL")
        }
        return value
    }

    func mismatch(_ column: Int, _ expected: StaticString, _ oid: UInt32) -> PostgresError {
        let name = result.columnName(column)
        return PostgresError(.decoding, "the column \(name) is of the type with OID \(oid), not \(expected)")
    }

    func malformed(_ column: Int) -> PostgresError {
        PostgresError(.decoding, "the value in the column \(result.columnName(column)) is malformed")
    }
}
