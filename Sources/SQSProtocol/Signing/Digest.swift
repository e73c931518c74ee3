import Crypto

/// Hashes in the form in which they are sent: lower-case hexadecimal.
package enum Digest {
    package static func sha256(_ bytes: some Collection<UInt8>) -> String {
        var hash = SHA256()
        update(&hash, bytes)
        return hexadecimal(hash.finalize())
    }

    /// What SQS names the MD5 of a body: that of its UTF-8 bytes.
    package static func md5(_ bytes: some Collection<UInt8>) -> String {
        var hash = Insecure.MD5()
        update(&hash, bytes)
        return hexadecimal(hash.finalize())
    }

    private static func update(_ hash: inout some HashFunction, _ bytes: some Collection<UInt8>) {
        let isDone: Void? = bytes.withContiguousStorageIfAvailable {
            hash.update(bufferPointer: UnsafeRawBufferPointer($0))
        }
        if isDone == nil { hash.update(data: Array(bytes)) }
    }

    static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
