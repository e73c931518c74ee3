/// Why bytes are not a JSON document that is accepted here; nothing in it repeats the document.
package struct JSONError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable {
        case empty = "the document is empty"
        case unexpectedByte = "unexpected byte"
        case unexpectedEnd = "the document ends too early"
        case trailingBytes = "something follows the document"
        case badNumber = "malformed number"
        case badEscape = "malformed escape sequence"
        case loneSurrogate = "escaped surrogate without its other half"
        case controlCharacter = "unescaped control character in a string"
        case invalidUTF8 = "a string is not valid UTF-8"
        case duplicateKey = "an object has the same key twice"
        case tooDeep = "nested deeper than 64 levels"
    }

    package let code: Code
    /// The byte, from 0, at which reading stopped.
    package let offset: Int

    /// Safe to show to anyone.
    package var message: String { "\(code.rawValue), at byte \(offset)" }

    package var description: String { message }
}
