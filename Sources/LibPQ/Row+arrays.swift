// One-dimensional arrays. The plain form refuses NULL as an element, the `nullable…` form returns it; an array
// that is itself NULL is refused unless the form is `optional…`.

extension Row {
    package func int64Array(_ column: Int) throws(PostgresError) -> [Int64] {
        try require(optionalInt64Array(column), column)
    }

    package func optionalInt64Array(_ column: Int) throws(PostgresError) -> [Int64]? {
        try elements(column, of: TypeOID.int8, "bigint[]", Self.integerElement)
    }

    package func nullableInt64Array(_ column: Int) throws(PostgresError) -> [Int64?] {
        try require(nullableElements(column, of: TypeOID.int8, "bigint[]", Self.integerElement), column)
    }

    package func int32Array(_ column: Int) throws(PostgresError) -> [Int32] {
        try require(optionalInt32Array(column), column)
    }

    package func optionalInt32Array(_ column: Int) throws(PostgresError) -> [Int32]? {
        try elements(column, of: TypeOID.int4, "integer[]", Self.integerElement)
    }

    package func nullableInt32Array(_ column: Int) throws(PostgresError) -> [Int32?] {
        try require(nullableElements(column, of: TypeOID.int4, "integer[]", Self.integerElement), column)
    }

    package func int16Array(_ column: Int) throws(PostgresError) -> [Int16] {
        try require(optionalInt16Array(column), column)
    }

    package func optionalInt16Array(_ column: Int) throws(PostgresError) -> [Int16]? {
        try elements(column, of: TypeOID.int2, "smallint[]", Self.integerElement)
    }

    package func nullableInt16Array(_ column: Int) throws(PostgresError) -> [Int16?] {
        try require(nullableElements(column, of: TypeOID.int2, "smallint[]", Self.integerElement), column)
    }

    package func boolArray(_ column: Int) throws(PostgresError) -> [Bool] {
        try require(elements(column, of: TypeOID.bool, "boolean[]") { $0.first.map { $0 != 0 } }, column)
    }

    package func textArray(_ column: Int) throws(PostgresError) -> [String] {
        try require(optionalTextArray(column), column)
    }

    package func optionalTextArray(_ column: Int) throws(PostgresError) -> [String]? {
        try elements(column, of: TypeOID.text, "text[]") { String(decoding: $0, as: UTF8.self) }
    }

    package func nullableTextArray(_ column: Int) throws(PostgresError) -> [String?] {
        try require(
            nullableElements(column, of: TypeOID.text, "text[]") { String(decoding: $0, as: UTF8.self) },
            column
        )
    }

    package func bytesArray(_ column: Int) throws(PostgresError) -> [[UInt8]] {
        try require(optionalBytesArray(column), column)
    }

    package func optionalBytesArray(_ column: Int) throws(PostgresError) -> [[UInt8]]? {
        try elements(column, of: TypeOID.bytea, "bytea[]") { Array($0) }
    }

    package func nullableBytesArray(_ column: Int) throws(PostgresError) -> [[UInt8]?] {
        try require(nullableElements(column, of: TypeOID.bytea, "bytea[]") { Array($0) }, column)
    }

    /// `json[]`, each element by its text in UTF-8.
    package func jsonArray(_ column: Int) throws(PostgresError) -> [[UInt8]] {
        try require(elements(column, of: TypeOID.json, "json[]") { Array($0) }, column)
    }

    /// `timestamptz[]` in microseconds since the Unix epoch.
    package func timestampArray(_ column: Int) throws(PostgresError) -> [Int64] {
        try require(
            elements(column, of: TypeOID.timestamptz, "timestamptz[]") { bytes in
                Self.integerElement(bytes).map(TimestampCoding.decode)
            },
            column
        )
    }

    /// `timestamptz[]` in microseconds since the Unix epoch.
    package func nullableTimestampArray(_ column: Int) throws(PostgresError) -> [Int64?] {
        try require(
            nullableElements(column, of: TypeOID.timestamptz, "timestamptz[]") { bytes in
                Self.integerElement(bytes).map(TimestampCoding.decode)
            },
            column
        )
    }

    package func uuidArray(_ column: Int) throws(PostgresError) -> [(UInt64, UInt64)] {
        try require(
            elements(column, of: TypeOID.uuid, "uuid[]") { bytes in
                guard bytes.count == 16 else { return nil }
                let high = UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self))
                return (high, UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
            },
            column
        )
    }
}

// MARK: - Reading

extension Row {
    private static func integerElement<Integer: FixedWidthInteger & BitwiseCopyable>(
        _ bytes: UnsafeRawBufferPointer
    ) -> Integer? {
        guard bytes.count == MemoryLayout<Integer>.size else { return nil }
        return Integer(bigEndian: bytes.loadUnaligned(as: Integer.self))
    }

    /// `decode` gives nil for a malformed element.
    private func elements<Element>(
        _ column: Int,
        of oid: UInt32,
        _ name: StaticString,
        _ decode: (UnsafeRawBufferPointer) -> Element?
    ) throws(PostgresError) -> [Element]? {
        try collect(column, of: oid, name) { bytes throws(PostgresError) in
            guard let bytes else {
                throw PostgresError(.decoding, "an element in the column \(result.columnName(column)) is NULL")
            }
            guard let element = decode(bytes) else { throw malformed(column) }
            return element
        }
    }

    private func nullableElements<Element>(
        _ column: Int,
        of oid: UInt32,
        _ name: StaticString,
        _ decode: (UnsafeRawBufferPointer) -> Element?
    ) throws(PostgresError) -> [Element?]? {
        try collect(column, of: oid, name) { bytes throws(PostgresError) in
            guard let bytes else { return nil }
            guard let element = decode(bytes) else { throw malformed(column) }
            return element
        }
    }

    /// Converts an array's elements, which come as nil where they are NULL; nil if the array itself is NULL.
    private func collect<Element>(
        _ column: Int,
        of expected: UInt32,
        _ name: StaticString,
        _ convert: (UnsafeRawBufferPointer?) throws(PostgresError) -> Element
    ) throws(PostgresError) -> [Element]? {
        let (oid, bytes) = try field(column)
        guard let bytes else { return nil }
        guard bytes.count >= 12, readBigEndian(bytes, 8) == expected else { throw mismatch(column, name, oid) }
        let dimensions = readBigEndian(bytes, 0)
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw mismatch(column, name, oid) }
        guard bytes.count >= 20 else { throw malformed(column) }
        let count = Int(readBigEndian(bytes, 12))
        guard count <= bytes.count / 4 else { throw malformed(column) }
        var array: [Element] = []
        array.reserveCapacity(count)
        var offset = 20
        for _ in 0..<count {
            guard offset + 4 <= bytes.count else { throw malformed(column) }
            let length = Int(Int32(bitPattern: readBigEndian(bytes, offset)))
            offset += 4
            guard length >= 0 else {
                array.append(try convert(nil))
                continue
            }
            guard offset + length <= bytes.count else { throw malformed(column) }
            array.append(try convert(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])))
            offset += length
        }
        return array
    }

    private func readBigEndian(_ bytes: UnsafeRawBufferPointer, _ offset: Int) -> UInt32 {
        UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
