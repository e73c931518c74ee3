import Testing

@testable import Monitoring

struct MetricsTests {
    @Test func `many tasks count into one series, and nothing is lost`() async {
        let metrics = Metrics()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let counter = metrics.counter(.queueReceived, ["a"])
                    let times = metrics.histogram(.operationDuration, ["s", "d", "send"])
                    for _ in 0..<1_000 {
                        counter.add(2)
                        times.record(.milliseconds(1))
                    }
                }
            }
        }
        #expect(metrics.counter(.queueReceived, ["a"]).value == 16_000)
        #expect(metrics.histogram(.operationDuration, ["s", "d", "send"]).snapshot.counts[0] == 8_000)
    }

    @Test func `a counter never falls`() {
        let counter = Metrics().counter(.logEvents)
        var last: Int64 = 0
        for amount in [5, 0, -3, 1, .min] {
            counter.add(amount)
            #expect(counter.value >= last)
            last = counter.value
        }
        #expect(last == 6)
    }

    @Test func `beyond its limit a metric has one series for all others`() throws {
        let metrics = Metrics(seriesLimit: 2)
        for name in ["a", "b", "c", "d", "a"] { metrics.counter(.queueSent, [name]).add() }
        for name in ["a", "b", "c"] { metrics.histogram(.operationDuration, ["s", name, "send"]).record(.zero) }
        // Other metrics have room of their own.
        metrics.counter(.queueDeleted, ["z"]).add()
        var exposition = Exposition()
        metrics.collect(into: &exposition)
        let samples = try ParsedExposition(exposition.text).samples
        let sent = samples.filter { $0.name == Metric.queueSent.name }
        #expect(sent.map { $0.labels["queue"] } == ["(other)", "a", "b"])
        #expect(sent.map(\.value) == [2, 2, 1])
        #expect(samples.filter { $0.name == "\(Metric.operationDuration.name)_count" }.count == 3)
        #expect(samples.first { $0.name == Metric.queueDeleted.name }?.labels["queue"] == "z")
    }
}
