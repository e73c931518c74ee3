/// Which destination a row's kind stands for.
enum Destinations {
    static let open: DestinationOpener = { description throws(DestinationError) in
        switch description.kind {
        case .sqs: try SQSDestination(SQSConfiguration(json: description.configuration))
        case .jetstream: try JetStreamDestination(JetStreamConfiguration(json: description.configuration))
        }
    }
}
