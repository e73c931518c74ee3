import Testing

@testable import Monitoring

struct ExpositionTests {
    @Test func `a scrape is what the format says, to the letter`() {
        let metrics = Metrics()
        metrics.counter(.queueSent, ["b.fifo"]).add(3)
        metrics.counter(.queueSent, ["a"]).add()
        metrics.counter(.logEvents).add(7)
        var exposition = Exposition()
        exposition.add(.databaseUp, [], true)
        exposition.add(.destinationAge, ["aws"], 0.25)
        metrics.collect(into: &exposition)
        let sent = Metric.queueSent.definition.help
        #expect(
            exposition.text == """
                # HELP rastro_database_up \(Metric.databaseUp.definition.help)
                # TYPE rastro_database_up gauge
                rastro_database_up 1
                # HELP rastro_log_commits_total \(Metric.logBatches.definition.help)
                # TYPE rastro_log_commits_total counter
                rastro_log_commits_total 0
                # HELP rastro_log_events_total \(Metric.logEvents.definition.help)
                # TYPE rastro_log_events_total counter
                rastro_log_events_total 7
                # HELP rastro_destination_age_seconds \(Metric.destinationAge.definition.help)
                # TYPE rastro_destination_age_seconds gauge
                rastro_destination_age_seconds{destination="aws"} 0.25
                # HELP rastro_queue_sent_messages_total \(sent)
                # TYPE rastro_queue_sent_messages_total counter
                rastro_queue_sent_messages_total{queue="a"} 1
                rastro_queue_sent_messages_total{queue="b.fifo"} 3

                """
        )
    }

    @Test func `buckets add up, and the last holds all`() throws {
        let metrics = Metrics()
        let times = metrics.histogram(.operationDuration, ["aws_sqs", "aws", "send"])
        for milliseconds in [5, 6, 100, 11_000] { times.record(.milliseconds(milliseconds)) }
        times.record(.seconds(-1))
        var exposition = Exposition()
        metrics.collect(into: &exposition)
        let samples = try ParsedExposition(exposition.text).samples
        let name = Metric.operationDuration.name
        func bucket(_ bound: String) -> Double? {
            samples.first { $0.name == "\(name)_bucket" && $0.labels["le"] == bound }?.value
        }
        // What equals a bound lies within it; no time is below 0.
        #expect(bucket("0.005") == 2)
        #expect(bucket("0.01") == 3)
        #expect(bucket("0.075") == 3)
        #expect(bucket("0.1") == 4)
        #expect(bucket("10") == 4)
        #expect(bucket("+Inf") == 5)
        #expect(samples.first { $0.name == "\(name)_count" }?.value == 5)
        let sum = try #require(samples.first { $0.name == "\(name)_sum" }?.value)
        #expect(abs(sum - 11.111) < 1e-9)
    }

    @Test(arguments: ["plain", #"a"b"#, #"back\slash"#, "two\nlines", #"\n"#, #"\""#, "é日本", "}", "a,b=\"c\"", ""])
    func `a label's value comes back as it was`(_ value: String) throws {
        var exposition = Exposition()
        exposition.add(.queueVisible, [value], 1)
        let parsed = try ParsedExposition(exposition.text)
        #expect(parsed.samples.map(\.labels) == [["queue": value]])
    }

    @Test(arguments: [
        (0.0, "0"), (-0.5, "-0.5"), (1e-7, "1e-07"), (9_007_199_254_740_992, "9007199254740992"), (.infinity, "+Inf"),
        (-.infinity, "-Inf"), (.nan, "NaN"), (1e300, "1e+300"),
    ])
    func `numbers are written as Go reads them`(_ value: Double, _ text: String) {
        var exposition = Exposition()
        exposition.add(.destinationAge, ["x"], value)
        #expect(exposition.text.hasSuffix("rastro_destination_age_seconds{destination=\"x\"} \(text)\n"))
    }

    @Test func `every metric at once is well-formed`() throws {
        let metrics = Metrics()
        var exposition = Exposition()
        for metric in Metric.allCases {
            let labels = metric.definition.labels.map { _ in "x" }
            switch metric.definition.kind {
            case .counter: metrics.counter(metric, labels).add(2)
            case .histogram: metrics.histogram(metric, labels).record(.milliseconds(3))
            case .gauge: exposition.add(metric, labels, 1.5)
            }
        }
        metrics.collect(into: &exposition)
        let parsed = try ParsedExposition(exposition.text)
        #expect(parsed.families.keys.sorted() == Metric.allCases.map(\.name).sorted())
    }

    @Test(arguments: [
        "x 1", "# TYPE x gauge\nx 1", "# HELP x y\n# TYPE x gauge\nx 1\nx 2\n",
        "# HELP x y\n# TYPE x gauge\nx{a=b} 1\n",
        "# HELP x y\n# TYPE x gauge\nx{a=\"\\q\"} 1\n", "# HELP x y\n# TYPE x gauge\nz 1\n",
        "# HELP x y\n# TYPE x counter\nx 1\n", "# HELP x y\n# TYPE x gauge\nx one\n",
        "# HELP x y\n# TYPE x gauge\nx{a=\"1\" 1\n", "# HELP x y\n# TYPE x gauge\n",
    ])
    func `the parser of these tests refuses what is malformed`(_ text: String) {
        #expect(throws: ParsedExposition.Malformed.self) { try ParsedExposition(text) }
    }
}
