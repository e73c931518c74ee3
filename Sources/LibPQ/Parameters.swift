/// The values for `$1`, `$2` … of one statement, in PostgreSQL's binary form.
///
/// Values are appended in order, as a chain: `Parameters().int64(5).text("blue")`. Each method takes the value it is
/// called on, so a chain copies nothing. All values lie in one buffer; nothing is allocated per value.
/// At most 65,535 values and less than 1 GiB a value: a session refuses more with `.invalidRequest`.
package struct Parameters: Sendable {
    /// One value's type and place in `buffer`; a length of -1 is NULL.
    struct Entry: Sendable {
        let oid: UInt32
        let offset: Int
        let length: Int
    }

    var buffer: [UInt8] = []
    var entries: [Entry] = []

    /// No values.
    package init() {}

    /// No values yet, with room for `bytes` of them in `count` parameters.
    package init(reservingBytes bytes: Int, count: Int) {
        buffer.reserveCapacity(bytes)
        entries.reserveCapacity(count)
    }

    /// The number of values.
    package var count: Int { entries.count }

    /// The bytes that the values occupy.
    package var byteCount: Int { buffer.count }
}

// MARK: - Scalars

extension Parameters {
    package consuming func int64(_ value: Int64?) -> Parameters {
        append(value, oid: TypeOID.int8) { $0.write($1) }
        return self
    }

    package consuming func int32(_ value: Int32?) -> Parameters {
        append(value, oid: TypeOID.int4) { $0.write($1) }
        return self
    }

    package consuming func int16(_ value: Int16?) -> Parameters {
        append(value, oid: TypeOID.int2) { $0.write($1) }
        return self
    }

    package consuming func double(_ value: Double?) -> Parameters {
        append(value, oid: TypeOID.float8) { $0.write($1.bitPattern) }
        return self
    }

    package consuming func bool(_ value: Bool?) -> Parameters {
        append(value, oid: TypeOID.bool) { $0.buffer.append($1 ? 1 : 0) }
        return self
    }

    /// A string without U+0000, which PostgreSQL refuses (SQLSTATE 22021).
    package consuming func text(_ value: String?) -> Parameters {
        append(value, oid: TypeOID.text) { $0.buffer.append(contentsOf: $1.utf8) }
        return self
    }

    package consuming func bytes(_ value: [UInt8]?) -> Parameters {
        append(value, oid: TypeOID.bytea) { $0.buffer.append(contentsOf: $1) }
        return self
    }

    /// A UUID as the two halves of its big-endian form.
    package consuming func uuid(_ value: (UInt64, UInt64)?) -> Parameters {
        append(value, oid: TypeOID.uuid) {
            $0.write($1.0)
            $0.write($1.1)
        }
        return self
    }

    /// A `timestamptz` in microseconds since the Unix epoch; `Int64.max` and `.min` are the infinities.
    package consuming func timestamp(microsecondsSinceEpoch value: Int64?) -> Parameters {
        append(value, oid: TypeOID.timestamptz) { $0.write(TimestampCoding.encode($1)) }
        return self
    }

    /// A `json` value by its text in UTF-8, which a column of type `json` keeps verbatim.
    package consuming func json(bytes value: [UInt8]?) -> Parameters {
        append(value, oid: TypeOID.json) { $0.buffer.append(contentsOf: $1) }
        return self
    }
}

// MARK: - Writing

extension Parameters {
    @inline(__always)
    private mutating func append<Value>(_ value: Value?, oid: UInt32, _ write: (inout Parameters, Value) -> Void) {
        let offset = buffer.count
        guard let value else {
            entries.append(Entry(oid: oid, offset: offset, length: -1))
            return
        }
        write(&self, value)
        entries.append(Entry(oid: oid, offset: offset, length: buffer.count - offset))
    }

    /// Appends the integer, most significant byte first.
    mutating func write<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        withUnsafeBytes(of: value.bigEndian) { buffer.append(contentsOf: $0) }
    }
}
