import Catalog
import EventLog
import HTTPTypes
import Hummingbird
import SQSProtocol

/// A request to a queue by somebody who is known and may make it.
struct QueueCall: Sendable {
    let exchange: Exchange
    let request: SQSRequest
    let key: APIKey
    /// The region that the signature names: part of ARNs.
    let region: String
    /// As it was signed, for the queue's owner if that is another server.
    let body: QueueBody

    /// Whether another gateway sent it here: it is not sent on.
    var isForwarded: Bool { exchange.request.headers.contains(.forwarded) }

    /// How long a receive waits that would wait so long: what was spent on the way counts.
    func wait(_ wanted: Duration) -> Duration {
        let limit = exchange.request.headers[.waitLimit].flatMap { UInt32($0) }
        guard isForwarded, let rest = limit else { return wanted }
        return min(wanted, .milliseconds(rest))
    }

    /// What queues' URLs begin with: the server as the client names it.
    var baseURL: String {
        let isSecure = exchange.request.headers[.xForwardedProto]?.lowercased() == "https"
        return "\(isSecure ? "https" : "http")://\(exchange.request.head.authority ?? "localhost")"
    }

    func arn(_ name: QueueName) -> QueueARN { QueueARN(region: region, name: name) }

    /// Nil for what is no queue's name: there is none such in the directory.
    func arn(_ name: String) -> QueueARN? { QueueName(name).map(arn) }

    func response(_ answer: SQSAnswer) -> Response {
        Response(
            status: .ok,
            headers: QueueAnswer.headers(exchange.context),
            body: ResponseBody(bytes: answer.json)
        )
    }
}
