import Catalog

/// A named value that travels with a message.
package struct MessageAttribute: Sendable, Hashable {
    package enum Value: Sendable, Hashable {
        /// Of the types String and Number: `StringValue`.
        case text(String)
        /// Of the type Binary: `BinaryValue`, decoded.
        case bytes([UInt8])
    }

    package let name: String
    /// `String`, `Number` or `Binary`, perhaps with a label of the sender's own after a dot.
    package let dataType: String
    package let value: Value

    package init(name: String, dataType: String, value: Value) {
        (self.name, self.dataType, self.value) = (name, dataType, value)
    }

    /// What it counts against the size of its message.
    package var byteCount: Int {
        let valueCount =
            switch value {
            case .text(let text): text.utf8.count
            case .bytes(let bytes): bytes.count
            }
        return name.utf8.count + dataType.utf8.count + valueCount
    }
}

// MARK: - Reading

extension MessageAttribute {
    static let nameLimit = 256

    /// Reads `{"DataType": …, "StringValue" or "BinaryValue": …}`.
    init(name: String, json: JSONValue) throws(SQSError) {
        try Self.check(name: name)
        let reader = try ObjectReader(json, named: "MessageAttributes.\(name)")
        guard let type = try reader.text("DataType"), !type.isEmpty else {
            throw .invalidParameterValue(
                "Missing required parameter DataType of message (user) attribute '\(name)'."
            )
        }
        guard type.utf8.count <= Self.nameLimit, type.utf8.allSatisfy({ 0x20...0x7e ~= $0 }) else {
            throw .invalidParameterValue("Message (user) attribute types must be shorter than 256 bytes.")
        }
        let value: Value
        switch type.prefix(while: { $0 != "." }) {
        case "String": value = .text(try Self.text(reader, name: name, type: type))
        case "Number": value = .text(try Self.number(reader, name: name, type: type))
        case "Binary": value = .bytes(try Self.bytes(reader, name: name, type: type))
        default:
            throw .invalidParameterValue(
                "The type of message (user) attribute '\(name)' is invalid. You must use only the following supported "
                    + "type prefixes: Binary, Number, String."
            )
        }
        self.init(name: name, dataType: type, value: value)
    }

    private static func check(name: String) throws(SQSError) {
        guard (1...nameLimit).contains(name.utf8.count) else {
            throw .invalidParameterValue(
                "Message (user) attribute names must be between 1 and 256 bytes."
            )
        }
        guard name.utf8.allSatisfy({ $0.isAlphanumeric || [0x2d, 0x2e, 0x5f].contains($0) }) else {
            throw .invalidParameterValue(
                "The message attribute name '\(name)' is invalid. Attribute name can contain A-Z, a-z, 0-9, underscore "
                    + "(_), hyphen (-), and period (.) characters."
            )
        }
        let lowered = name.lowercased()
        guard !lowered.hasPrefix("aws."), !lowered.hasPrefix("amazon."), !name.hasPrefix("."),
            !name.hasSuffix("."),
            !name.contains("..")
        else {
            throw .invalidParameterValue(
                "The message attribute name '\(name)' is invalid. It must not begin with 'AWS.' or 'Amazon.', begin or "
                    + "end with a period, or hold two periods in a row."
            )
        }
    }

    private static func text(_ reader: ObjectReader, name: String, type: String) throws(SQSError)
        -> String
    {
        guard let text = try reader.text("StringValue"), !text.isEmpty, reader["BinaryValue"] == nil
        else {
            throw .emptyAttribute(name, type: type)
        }
        guard MessageText.isAllowed(text) else {
            throw .invalidParameterValue(SQSError.invalidMessageContents.message)
        }
        return text
    }

    private static func number(_ reader: ObjectReader, name: String, type: String) throws(SQSError)
        -> String
    {
        let text = try text(reader, name: name, type: type)
        guard AttributeNumber.isAllowed(text) else {
            throw .invalidParameterValue(
                "Can't cast the value of message (user) attribute '\(name)' to a number."
            )
        }
        return text
    }

    private static func bytes(_ reader: ObjectReader, name: String, type: String) throws(SQSError)
        -> [UInt8]
    {
        guard let text = try reader.text("BinaryValue"), !text.isEmpty, reader["StringValue"] == nil
        else {
            throw .emptyAttribute(name, type: type)
        }
        guard let bytes = Base64.decode(text), !bytes.isEmpty else {
            throw .serialization("BinaryValue of message (user) attribute '\(name)' is not base 64.")
        }
        return bytes
    }
}

extension SQSError {
    fileprivate static func emptyAttribute(_ name: String, type: String) -> SQSError {
        .invalidParameterValue(
            "Message (user) attribute '\(name)' must contain a non-empty value of type '\(type)'."
        )
    }
}
