extension Timestamp {
    /// Reads RFC 3339's `date-time` with any offset, `t` and `z` in either case, and any number of fraction digits, of
    /// which those after the sixth are dropped (so the moment never lies after the one that was written).
    ///
    /// Nil for anything else: a day that the calendar lacks, second 60, a space for the `T`, or a moment that leaves
    /// the years 0000 … 9999 in UTC.
    package init?(rfc3339 text: some StringProtocol) {
        var text = String(text)
        guard let time = text.withUTF8({ Self.read($0) }) else { return nil }
        self = time
    }

    private static func read(_ bytes: UnsafeBufferPointer<UInt8>) -> Timestamp? {
        var reader = DateTimeReader(bytes)
        guard let year = reader.digits(4), reader.skip("-"), let month = reader.digits(2), reader.skip("-"),
            let day = reader.digits(2), reader.skip("T") || reader.skip("t"),
            let hour = reader.digits(2), hour < 24, reader.skip(":"), let minute = reader.digits(2), minute < 60,
            reader.skip(":"), let second = reader.digits(2), second < 60,
            let fraction = reader.fraction(), let offset = reader.offset(), reader.isAtEnd
        else { return nil }
        let date = CivilDate(year: year, month: month, day: day)
        guard date.exists else { return nil }
        let seconds = date.daysSinceEpoch * 86_400 + hour * 3_600 + minute * 60 + second - offset
        guard (firstSecond...lastSecond).contains(seconds) else { return nil }
        return Timestamp(microseconds: seconds * 1_000_000 + fraction)
    }

    /// RFC 3339 in UTC with exactly six decimals: `2026-11-24T03:06:03.123456Z`.
    package var description: String {
        var bytes: [UInt8] = []
        appendRFC3339(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Appends `description`'s 27 bytes (a year beyond 9999 or before 0000 has more).
    package func appendRFC3339(to bytes: inout [UInt8]) {
        let (seconds, ofSecond) = microseconds.flooredDivision(by: 1_000_000)
        let (days, ofDay) = seconds.flooredDivision(by: 86_400)
        let date = CivilDate(daysSinceEpoch: days)
        if (0...9_999).contains(date.year) {
            bytes.appendDigits(date.year, width: 4)
        } else {
            bytes.append(contentsOf: String(date.year).utf8)
        }
        bytes.append(UInt8(ascii: "-"))
        bytes.appendDigits(date.month, width: 2)
        bytes.append(UInt8(ascii: "-"))
        bytes.appendDigits(date.day, width: 2)
        bytes.append(UInt8(ascii: "T"))
        bytes.appendDigits(ofDay / 3_600, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.appendDigits(ofDay / 60 % 60, width: 2)
        bytes.append(UInt8(ascii: ":"))
        bytes.appendDigits(ofDay % 60, width: 2)
        bytes.append(UInt8(ascii: "."))
        bytes.appendDigits(ofSecond, width: 6)
        bytes.append(UInt8(ascii: "Z"))
    }

    /// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
    private static let firstSecond: Int64 = -62_167_219_200
    private static let lastSecond: Int64 = 253_402_300_799
}

/// Walks over the bytes of an RFC 3339 `date-time`.
private struct DateTimeReader {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var at = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    var isAtEnd: Bool { at == bytes.count }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard !isAtEnd, bytes[at] == UInt8(ascii: character) else { return false }
        at += 1
        return true
    }

    /// Exactly so many digits.
    mutating func digits(_ count: Int) -> Int64? {
        var value: Int64 = 0
        for _ in 0..<count {
            guard let digit = digit() else { return nil }
            value = value * 10 + digit
        }
        return value
    }

    /// Microseconds; 0 without a fraction.
    mutating func fraction() -> Int64? {
        guard skip(".") else { return 0 }
        guard let first = digit() else { return nil }
        var (value, count) = (first, 1)
        while let next = digit() {
            if count < 6 { (value, count) = (value * 10 + next, count + 1) }
        }
        for _ in count..<6 { value *= 10 }
        return value
    }

    /// Seconds east of UTC.
    mutating func offset() -> Int64? {
        if skip("Z") || skip("z") { return 0 }
        let isWest = skip("-")
        guard isWest || skip("+"), let hours = digits(2), hours < 24, skip(":"), let minutes = digits(2), minutes < 60
        else { return nil }
        let seconds = hours * 3_600 + minutes * 60
        return isWest ? -seconds : seconds
    }

    private mutating func digit() -> Int64? {
        guard !isAtEnd, bytes[at] &- UInt8(ascii: "0") <= 9 else { return nil }
        defer { at += 1 }
        return Int64(bytes[at] &- UInt8(ascii: "0"))
    }
}

extension Int64 {
    /// The quotient rounded down, and a remainder of 0 … `divisor` − 1.
    fileprivate func flooredDivision(by divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}

extension [UInt8] {
    /// Appends a non-negative number's last `width` digits.
    fileprivate mutating func appendDigits(_ value: Int64, width: Int) {
        var divisor: Int64 = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value / divisor % 10))
            divisor /= 10
        }
    }
}
