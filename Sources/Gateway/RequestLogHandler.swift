import Logging

/// Keeps what a request adds to its logger until something is logged. The usual handlers render it at once, for every
/// request, though few log anything.
struct RequestLogHandler: LogHandler {
    private var target: any LogHandler
    /// What was added since.
    var metadata: Logger.Metadata = [:]

    init(target: any LogHandler) { self.target = target }

    var logLevel: Logger.Level {
        get { target.logLevel }
        set { target.logLevel = newValue }
    }

    var metadataProvider: Logger.MetadataProvider? {
        get { target.metadataProvider }
        set { target.metadataProvider = newValue }
    }

    subscript(metadataKey key: String) -> Logger.MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var event = event
        event.metadata = metadata.merging(event.metadata ?? [:]) { $1 }
        target.log(event: event)
    }
}
