/// Which destination a row's kind stands for.
enum Destinations {
    static func opener(_ webhooks: WebhookPolicy) -> DestinationOpener {
        { description throws(DestinationError) in
            switch description.kind {
            case .sqs: try SQSDestination(SQSConfiguration(json: description.configuration))
            case .jetstream: try JetStreamDestination(JetStreamConfiguration(json: description.configuration))
            case .webhook:
                try WebhookDestination(WebhookConfiguration(json: description.configuration), policy: webhooks)
            }
        }
    }
}
