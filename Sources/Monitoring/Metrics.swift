import Synchronization

/// The counters and histograms of one process. Gauges are not kept: they are looked up when somebody asks.
///
/// Take a series once and keep it: finding it takes a lock and a look-up, counting does not.
package final class Metrics: Sendable {
    private struct Series: Hashable {
        let metric: Metric
        let labels: [String]
    }

    private struct State {
        var counters: [Series: Counter] = [:]
        var histograms: [Series: Histogram] = [:]
        var seriesCount: [Metric: Int] = [:]
    }

    private let state: Mutex<State>
    private let seriesLimit: Int
    /// What stands in the labels of the series that all share for which there is no room. No queue and no destination
    /// can bear this name.
    package static let otherLabel = "(other)"

    /// - Parameter seriesLimit: so many series of one metric at most, and one more for all others. They are kept until
    ///   the process ends: those of queues and destinations that are no more, too.
    package init(seriesLimit: Int = 1_000) {
        self.seriesLimit = seriesLimit
        var state = State()
        // What has no labels is there from the start, at 0.
        for metric in Metric.allCases where metric.definition.labels.isEmpty && metric.definition.kind == .counter {
            state.counters[Series(metric: metric, labels: [])] = Counter()
        }
        self.state = Mutex(state)
    }

    /// The series with these values of the metric's labels, in their order.
    package func counter(_ metric: Metric, _ labels: [String] = []) -> Counter {
        Self.check(metric, .counter, labels)
        return state.withLock { state in
            let series = place(Series(metric: metric, labels: labels), &state) { $0.counters[$1] != nil }
            if let counter = state.counters[series] { return counter }
            let counter = Counter()
            state.counters[series] = counter
            return counter
        }
    }

    /// The series with these values of the metric's labels, in their order.
    package func histogram(_ metric: Metric, _ labels: [String] = []) -> Histogram {
        Self.check(metric, .histogram, labels)
        return state.withLock { state in
            let series = place(Series(metric: metric, labels: labels), &state) { $0.histograms[$1] != nil }
            if let histogram = state.histograms[series] { return histogram }
            let histogram = Histogram()
            state.histograms[series] = histogram
            return histogram
        }
    }

    private static func check(_ metric: Metric, _ kind: Metric.Kind, _ labels: [String]) {
        let definition = metric.definition
        precondition(definition.kind == kind, "\(metric.name) is a \(definition.kind)")
        precondition(definition.labels.count == labels.count, "\(metric.name) has other labels")
    }

    /// The series itself if it is known or there is room for it, else the one for all others.
    private func place(_ series: Series, _ state: inout State, isKnown: (State, Series) -> Bool) -> Series {
        guard !isKnown(state, series) else { return series }
        guard state.seriesCount[series.metric, default: 0] < seriesLimit else {
            return Series(metric: series.metric, labels: series.labels.map { _ in Self.otherLabel })
        }
        state.seriesCount[series.metric, default: 0] += 1
        return series
    }

    /// Adds all that was counted so far.
    package func collect(into exposition: inout Exposition) {
        let (counters, histograms) = state.withLock { ($0.counters, $0.histograms) }
        for (series, counter) in counters { exposition.add(series.metric, series.labels, counter.value) }
        for (series, histogram) in histograms { exposition.add(series.metric, series.labels, histogram.snapshot) }
    }
}
