import Catalog
import Testing

@Suite struct TimestampTests {
    @Test(
        "reads RFC 3339 and writes UTC with six decimals",
        arguments: [
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z"),
            ("2026-11-24T03:06:03.123456Z", "2026-11-24T03:06:03.123456Z"),
            ("2026-11-24T03:06:03.1Z", "2026-11-24T03:06:03.100000Z"),
            ("2026-11-24T03:06:03.1234569Z", "2026-11-24T03:06:03.123456Z"),
            ("1969-12-31T23:59:59.9999999Z", "1969-12-31T23:59:59.999999Z"),
            ("2026-11-24t03:06:03z", "2026-11-24T03:06:03.000000Z"),
            ("2026-11-24T03:06:03+05:30", "2026-11-23T21:36:03.000000Z"),
            ("2026-12-31T23:30:00-01:00", "2027-01-01T00:30:00.000000Z"),
            ("2026-12-31T23:30:00-00:00", "2026-12-31T23:30:00.000000Z"),
            ("2024-02-29T12:00:00Z", "2024-02-29T12:00:00.000000Z"),
            ("2000-02-29T12:00:00Z", "2000-02-29T12:00:00.000000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"),
            ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
        ]
    )
    func reads(text: String, utc: String) {
        #expect(Timestamp(rfc3339: text)?.description == utc)
    }

    @Test(
        "refuses what is no moment",
        arguments: [
            "", "2026", "2026-11-24", "2026-11-24T03:06:03", "2026-11-24 03:06:03Z", "2026-11-24T03:06Z",
            "2026-11-24T03:06:03.Z", "2026-11-24T03:06:03,5Z", "2026-11-24T24:00:00Z", "2026-11-24T23:60:00Z",
            "2026-12-31T23:59:60Z", "2026-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2200-02-29T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-32T00:00:00Z",
            "2026-11-24T03:06:03+24:00", "2026-11-24T03:06:03+05:60", "2026-11-24T03:06:03+0530",
            "2026-11-24T03:06:03Z ", " 2026-11-24T03:06:03Z", "12026-11-24T03:06:03Z", "+2026-11-24T03:06:03Z",
            "２026-11-24T03:06:03Z", "9999-12-31T23:59:59-01:00", "0000-01-01T00:00:00+01:00",
        ]
    )
    func refuses(text: String) {
        #expect(Timestamp(rfc3339: text) == nil)
    }

    @Test(
        "counts microseconds since the epoch",
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-02T00:00:00.000001Z", 86_400_000_001),
            ("1969-12-31T23:59:59.999999Z", -1), ("2000-01-01T00:00:00Z", 946_684_800_000_000),
            ("2038-01-19T03:14:08Z", 2_147_483_648_000_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000_000),
        ]
    )
    func counts(text: String, microseconds: Int64) {
        #expect(Timestamp(rfc3339: text)?.microseconds == microseconds)
    }

    @Test("every day of ten thousand years follows the one before, as a calendar has it")
    func everyDay() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var microseconds: Int64 = -62_167_219_200_000_000
        for year in 0...9_999 {
            let isLeap = year.isMultiple(of: 4) && (!year.isMultiple(of: 100) || year.isMultiple(of: 400))
            for (month, length) in lengths.enumerated() {
                let last = month == 1 && isLeap ? 29 : length
                // The first and last day of each month pin down all between them.
                for day in [1, last] {
                    let time = Timestamp(microseconds: microseconds + Int64(day - 1) * 86_400_000_000)
                    let expected = "\(pad(year, 4))-\(pad(month + 1, 2))-\(pad(day, 2))T00:00:00.000000Z"
                    guard time.description == expected, Timestamp(rfc3339: expected) == time else {
                        Issue.record("\(expected) is written as \(time)")
                        return
                    }
                }
                microseconds += Int64(last) * 86_400_000_000
            }
        }
    }

    @Test("any moment survives writing and reading", arguments: 1...10)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<2_000 {
            let range = Int64(-62_167_219_200_000_000)...253_402_300_799_999_999
            let time = Timestamp(microseconds: Int64.random(in: range, using: &random))
            #expect(Timestamp(rfc3339: time.description) == time, "seed \(seed): \(time.microseconds)")
            #expect(time.description.utf8.count == 27)
        }
    }

    @Test("the ends of the range neither trap nor wrap")
    func ends() {
        #expect(Timestamp(microseconds: .max).description == "294247-01-10T04:00:54.775807Z")
        #expect(Timestamp(microseconds: .min).description == "-290308-12-21T19:59:05.224192Z")
        #expect(Timestamp(microseconds: .max).advanced(byMicroseconds: 1) == Timestamp(microseconds: .max))
        #expect(Timestamp(microseconds: .min).advanced(byMicroseconds: -1) == Timestamp(microseconds: .min))
        #expect(Timestamp(microseconds: 1) < Timestamp(microseconds: 2))
    }

    private func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: width - digits.count) + digits
    }
}
