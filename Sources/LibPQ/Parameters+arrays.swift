// Form: dimensions, whether NULLs may occur, the element's OID, length, lower bound, then each element
// with its length (array_recv in PostgreSQL's arrayfuncs.c).

extension Parameters {
    package consuming func int64Array(_ values: [Int64]) -> Parameters {
        appendFixedArray(values, TypeOID.int8Array, of: TypeOID.int8) { $0 }
        return self
    }

    package consuming func int64Array(_ values: [Int64?]) -> Parameters {
        appendNullableArray(values, TypeOID.int8Array, of: TypeOID.int8) { $0.writeElement($1) }
        return self
    }

    package consuming func int32Array(_ values: [Int32]) -> Parameters {
        appendFixedArray(values, TypeOID.int4Array, of: TypeOID.int4) { $0 }
        return self
    }

    package consuming func int32Array(_ values: [Int32?]) -> Parameters {
        appendNullableArray(values, TypeOID.int4Array, of: TypeOID.int4) { $0.writeElement($1) }
        return self
    }

    package consuming func int16Array(_ values: [Int16]) -> Parameters {
        appendFixedArray(values, TypeOID.int2Array, of: TypeOID.int2) { $0 }
        return self
    }

    package consuming func int16Array(_ values: [Int16?]) -> Parameters {
        appendNullableArray(values, TypeOID.int2Array, of: TypeOID.int2) { $0.writeElement($1) }
        return self
    }

    package consuming func boolArray(_ values: [Bool]) -> Parameters {
        appendFixedArray(values, TypeOID.boolArray, of: TypeOID.bool) { $0 ? 1 : 0 as UInt8 }
        return self
    }

    package consuming func boolArray(_ values: [Bool?]) -> Parameters {
        appendNullableArray(values, TypeOID.boolArray, of: TypeOID.bool) { $0.writeElement($1 ? 1 : 0 as UInt8) }
        return self
    }

    package consuming func textArray(_ values: [String]) -> Parameters {
        appendArray(values, TypeOID.textArray, of: TypeOID.text) { $0.writeElement(text: $1) }
        return self
    }

    package consuming func textArray(_ values: [String?]) -> Parameters {
        appendNullableArray(values, TypeOID.textArray, of: TypeOID.text) { $0.writeElement(text: $1) }
        return self
    }

    /// NULL without an array.
    package consuming func textArray(orNull values: [String]?) -> Parameters {
        guard let values else {
            entries.append(Entry(oid: TypeOID.textArray, offset: buffer.count, length: -1))
            return self
        }
        return textArray(values)
    }

    package consuming func bytesArray(_ values: [[UInt8]]) -> Parameters {
        appendArray(values, TypeOID.byteaArray, of: TypeOID.bytea) { $0.writeElement(bytes: $1) }
        return self
    }

    package consuming func bytesArray(_ values: [[UInt8]?]) -> Parameters {
        appendNullableArray(values, TypeOID.byteaArray, of: TypeOID.bytea) { $0.writeElement(bytes: $1) }
        return self
    }

    /// `json[]`, each element by its text in UTF-8.
    package consuming func jsonArray(_ values: [[UInt8]]) -> Parameters {
        appendArray(values, TypeOID.jsonArray, of: TypeOID.json) { $0.writeElement(bytes: $1) }
        return self
    }

    /// `json[]`, each element by its text in UTF-8.
    package consuming func jsonArray(_ values: [[UInt8]?]) -> Parameters {
        appendNullableArray(values, TypeOID.jsonArray, of: TypeOID.json) { $0.writeElement(bytes: $1) }
        return self
    }

    /// `timestamptz[]` in microseconds since the Unix epoch.
    package consuming func timestampArray(_ values: [Int64]) -> Parameters {
        appendFixedArray(values, TypeOID.timestamptzArray, of: TypeOID.timestamptz) { TimestampCoding.encode($0) }
        return self
    }

    /// `timestamptz[]` in microseconds since the Unix epoch.
    package consuming func timestampArray(_ values: [Int64?]) -> Parameters {
        appendNullableArray(values, TypeOID.timestamptzArray, of: TypeOID.timestamptz) {
            $0.writeElement(TimestampCoding.encode($1))
        }
        return self
    }

    package consuming func uuidArray(_ values: [(UInt64, UInt64)]) -> Parameters {
        appendArray(values, TypeOID.uuidArray, of: TypeOID.uuid) { $0.writeElement(uuid: $1) }
        return self
    }

    package consuming func uuidArray(_ values: [(UInt64, UInt64)?]) -> Parameters {
        appendNullableArray(values, TypeOID.uuidArray, of: TypeOID.uuid) { $0.writeElement(uuid: $1) }
        return self
    }
}

// MARK: - Writing

extension Parameters {
    private mutating func appendArray<Value>(
        _ values: [Value],
        _ oid: UInt32,
        of element: UInt32,
        _ write: (inout Parameters, Value) -> Void
    ) {
        let offset = buffer.count
        writeArrayHeader(element: element, count: values.count, nulls: 0)
        for value in values { write(&self, value) }
        entries.append(Entry(oid: oid, offset: offset, length: buffer.count - offset))
    }

    private mutating func appendNullableArray<Value>(
        _ values: [Value?],
        _ oid: UInt32,
        of element: UInt32,
        _ write: (inout Parameters, Value) -> Void
    ) {
        let offset = buffer.count
        writeArrayHeader(element: element, count: values.count, nulls: 1)
        for value in values {
            if let value { write(&self, value) } else { self.write(-1 as Int32) }
        }
        entries.append(Entry(oid: oid, offset: offset, length: buffer.count - offset))
    }

    /// For elements of one size: the buffer grows once, then the elements are stored in place.
    private mutating func appendFixedArray<Value, Integer: FixedWidthInteger & BitwiseCopyable>(
        _ values: [Value],
        _ oid: UInt32,
        of element: UInt32,
        _ encode: (Value) -> Integer
    ) {
        let offset = buffer.count
        writeArrayHeader(element: element, count: values.count, nulls: 0)
        var position = buffer.count
        let size = MemoryLayout<Integer>.size
        buffer.append(contentsOf: repeatElement(0, count: values.count * (4 + size)))
        buffer.withUnsafeMutableBytes { bytes in
            for value in values {
                bytes.storeBytes(of: Int32(truncatingIfNeeded: size).bigEndian, toByteOffset: position, as: Int32.self)
                bytes.storeBytes(of: encode(value).bigEndian, toByteOffset: position + 4, as: Integer.self)
                position += 4 + size
            }
        }
        entries.append(Entry(oid: oid, offset: offset, length: buffer.count - offset))
    }

    private mutating func writeArrayHeader(element: UInt32, count: Int, nulls: Int32) {
        write((count == 0 ? 0 : 1) as Int32)
        write(nulls)
        write(element)
        guard count > 0 else { return }
        write(Int32(truncatingIfNeeded: count))
        write(1 as Int32)
    }

    private mutating func writeElement<Integer: FixedWidthInteger & BitwiseCopyable>(_ value: Integer) {
        write(Int32(truncatingIfNeeded: MemoryLayout<Integer>.size))
        write(value)
    }

    private mutating func writeElement(text value: String) {
        var value = value
        value.withUTF8 { bytes in
            write(Int32(truncatingIfNeeded: bytes.count))
            buffer.append(contentsOf: bytes)
        }
    }

    private mutating func writeElement(bytes value: [UInt8]) {
        write(Int32(truncatingIfNeeded: value.count))
        buffer.append(contentsOf: value)
    }

    private mutating func writeElement(uuid value: (UInt64, UInt64)) {
        write(16 as Int32)
        write(value.0)
        write(value.1)
    }
}
