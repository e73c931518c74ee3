import Catalog
import Crypto

/// The `data` of an OPERATED event: `{"action": "key.created", …}`. No user id may stand in it, only user numbers.
package struct OperationData {
    private var members: [JSONMember]

    package init(action: String) { members = [JSONMember(key: "action", value: .string(action))] }

    package mutating func add(_ name: String, _ value: String) {
        members.append(JSONMember(key: name, value: .string(value)))
    }

    package mutating func add(_ name: String, _ value: Int64) {
        members.append(JSONMember(key: name, value: .integer(value)))
    }

    package mutating func add(_ name: String, _ values: [String]) {
        members.append(JSONMember(key: name, value: .array(values.map(JSONValue.string))))
    }

    /// The lower-case hexadecimal SHA-256 of a text.
    package static func digest(_ text: String) -> String {
        SHA256.hash(data: Array(text.utf8)).map { byte in
            let hex = String(byte, radix: 16)
            return byte < 16 ? "0" + hex : hex
        }.joined()
    }

    package var bytes: [UInt8] {
        var writer = JSONWriter()
        writer.value(.object(members))
        return writer.bytes
    }
}
