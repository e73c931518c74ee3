/// Which destination a row's kind stands for.
enum Destinations {
    static func opener(_ webhooks: WebhookPolicy) -> DestinationOpener {
        let servers = JetStreamServers()
        return { description throws(DestinationError) in
            switch description.kind {
            case .sqs: try SQSDestination(SQSConfiguration(json: description.configuration))
            case .jetstream: try JetStreamDestination(description, servers)
            case .webhook:
                try WebhookDestination(WebhookConfiguration(json: description.configuration), policy: webhooks)
            }
        }
    }
}
