import Catalog
import Testing

@Suite struct PriceTests {
    @Test(
        "reads every syntax of a JSON number exactly",
        arguments: [
            ("0", "0"), ("-0", "0"), ("-0.0", "0"), ("0e999999999999999999999", "0"), ("19.9", "19.9"),
            ("19.90", "19.9"),
            ("19.90000000000000000000000000", "19.9"), ("1e2", "100"), ("1E+2", "100"), ("1990e-2", "19.9"),
            ("0.0001", "0.0001"), ("1e-4", "0.0001"), ("10e-5", "0.0001"), ("100", "100"), ("1000000", "1000000"),
            ("99999999999.9999", "99999999999.9999"), ("999999999999999e-4", "99999999999.9999"),
            ("99999999999.99990", "99999999999.9999"), ("0.1", "0.1"), ("123.4560", "123.456"),
        ]
    )
    func readsExactly(text: String, canonical: String) {
        #expect(Price(decimal: text)?.description == canonical)
    }

    @Test(
        "refuses what is no price",
        arguments: [
            "", "-", "+1", "01", "-01", "1.", ".5", "1e", "1e+", "1.5.2", " 1", "1 ", "0x10", "NaN", "Infinity", "1,5",
            "١", "-1", "-0.0001", "0.00001", "1e-5", "19.99999", "99999999999.99991", "100000000000", "1e11", "1e400",
            "1e999999999999999999999", "1e-999999999999999999999", "999999999999999999999999",
            "9999999999999999999.9999",
        ]
    )
    func refuses(text: String) {
        #expect(Price(decimal: text) == nil)
    }

    @Test("its description reads back as the same amount, whatever zeros and exponents are added", arguments: 1...20)
    func roundTrip(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<500 {
            let price = random.price()
            let text = price.description
            let digits = String(price.tenThousandths)
            let spellings = [
                text, "\(digits)e-4", digits == "0" ? "0E-6" : "\(digits)00E-6",
                text.contains(".") ? "\(text)000" : "\(text).000", "\(text)e0",
                "0.\(String(repeating: "0", count: 20 - digits.count))\(digits)e16",
            ]
            for spelling in spellings {
                #expect(Price(decimal: spelling) == price, "seed \(seed): \(spelling)")
            }
        }
    }

    @Test("its description is what schoolbook decimal writing gives")
    func schoolbook() {
        var random = SeededGenerator(seed: 7)
        for _ in 0..<2_000 {
            let price = random.price()
            var digits = String(price.tenThousandths)
            while digits.count < 5 { digits = "0" + digits }
            var expected = digits.dropLast(4) + "." + digits.suffix(4)
            while expected.last == "0" { expected.removeLast() }
            if expected.last == "." { expected.removeLast() }
            #expect(price.description == expected)
        }
    }

    @Test("keeps to its range")
    func range() {
        #expect(Price(tenThousandths: -1) == nil)
        #expect(Price(tenThousandths: Price.largest + 1) == nil)
        #expect(Price(tenThousandths: Price.largest)?.description == "99999999999.9999")
    }
}
