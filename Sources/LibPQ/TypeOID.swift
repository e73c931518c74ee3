/// Object identifiers of the built-in types (`pg_type.dat`; fixed for all servers).
enum TypeOID {
    static let bool: UInt32 = 16
    static let bytea: UInt32 = 17
    static let char: UInt32 = 18
    static let name: UInt32 = 19
    static let int8: UInt32 = 20
    static let int2: UInt32 = 21
    static let int4: UInt32 = 23
    static let text: UInt32 = 25
    static let json: UInt32 = 114
    static let jsonArray: UInt32 = 199
    static let oid: UInt32 = 26
    static let unknown: UInt32 = 705
    static let float8: UInt32 = 701
    static let boolArray: UInt32 = 1000
    static let byteaArray: UInt32 = 1001
    static let int2Array: UInt32 = 1005
    static let int4Array: UInt32 = 1007
    static let textArray: UInt32 = 1009
    static let int8Array: UInt32 = 1016
    static let bpchar: UInt32 = 1042
    static let varchar: UInt32 = 1043
    static let timestamp: UInt32 = 1114
    static let timestamptz: UInt32 = 1184
    static let timestamptzArray: UInt32 = 1185
    static let uuid: UInt32 = 2950
    static let uuidArray: UInt32 = 2951
    static let jsonb: UInt32 = 3802
    /// Types made by users (enums, extensions) begin here.
    static let firstUserDefined: UInt32 = 16384

    /// Whether the binary form of the type is its text.
    static func isText(_ oid: UInt32) -> Bool {
        switch oid {
        case text, varchar, bpchar, name, json, unknown, char: true
        default: oid >= firstUserDefined
        }
    }
}

/// Times between PostgreSQL's epoch (2000-01-01) and Unix's, in microseconds.
enum TimestampCoding {
    static let epochOffset: Int64 = 946_684_800_000_000

    /// Times before the representable range become `-infinity`; `Int64.max` and `.min` are the infinities.
    static func encode(_ unixMicroseconds: Int64) -> Int64 {
        guard unixMicroseconds != .max else { return .max }
        let (value, overflow) = unixMicroseconds.subtractingReportingOverflow(epochOffset)
        return overflow ? .min : value
    }

    /// The infinities become `Int64.max` and `.min`.
    static func decode(_ microseconds: Int64) -> Int64 {
        guard microseconds != .min else { return .min }
        let (value, overflow) = microseconds.addingReportingOverflow(epochOffset)
        return overflow ? .max : value
    }
}
