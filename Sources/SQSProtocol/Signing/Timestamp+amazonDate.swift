package import Catalog

extension Timestamp {
    /// Reads the form of `x-amz-date`, `20260131T120000Z`; nil for anything else.
    package init?(amazonDate text: String) {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else {
            return nil
        }
        let parts = [0..<4, 4..<6, 6..<8, 9..<11, 11..<13, 13..<15].map {
            String(decoding: bytes[$0], as: UTF8.self)
        }
        self.init(rfc3339: "\(parts[0])-\(parts[1])-\(parts[2])T\(parts[3]):\(parts[4]):\(parts[5])Z")
    }

    /// UTC, whole seconds: `20260131T120000Z`.
    package var amazonDate: String {
        let digits = description.utf8.prefix { $0 != UInt8(ascii: ".") }
            .filter { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: ":") }
        return String(decoding: digits, as: UTF8.self) + "Z"
    }
}
