import Testing

@Suite("SwiftText")
struct SwiftTextTests {
    @Test("blanks comments and strings, keeps code and interpolated code")
    func blanks() {
        let source = ##"""
            let a = "b!" // c!
            let d = "x\(e!)y" + #"\(f!) " "# + #"\#(g("h)"))"#
            /* i!
            */ j!
            let k = """
                l! "m" \(n)
                """
            """##
        #expect(
            SwiftText(source).lines.map { $0.replacing(" ", with: "") } == [
                #"leta="""#, ##"letd="(e!)"+#""#+#"(g(""))"#"##, "", "j!", "letk=\"\"\"", "(n)", "\"\"\"",
            ]
        )
    }

    @Test("measures functions by their closing brace and passes over requirements and one-liners")
    func functions() {
        let source = """
            protocol P {
                func a()
                func b() -> Int
            }
            struct S {
                init() { }
                package static func c(
                    x: Int
                ) {
                    if x > 0 {
                    }
                }
                @discardableResult
                func d() -> Int {
                    1
                }
                deinit {
                }
                var e: Int {
                    function()
                }
            }
            """
        let functions = SwiftText(source).functions
        #expect(functions.map(\.line) == [7, 14, 17])
        #expect(functions.map(\.length) == [6, 3, 2])
    }
}
