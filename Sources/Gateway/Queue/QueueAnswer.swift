import EventLog
import HTTPTypes
import Hummingbird
import SQSProtocol

/// The form that answers of the SQS protocol share.
enum QueueAnswer {
    private static let mediaType = "application/x-amz-json-1.0"

    static func headers(_ context: RastroRequestContext) -> HTTPFields {
        [.contentType: mediaType, .amazonRequestID: context.requestID.description]
    }

    static func response(_ error: SQSError, _ context: RastroRequestContext) -> Response {
        var headers = headers(context)
        headers[.amazonQueryError] = error.queryError
        if error.status == 503 { headers[.retryAfter] = "1" }
        return Response(
            status: HTTPResponse.Status(code: error.status),
            headers: headers,
            body: ResponseBody(bytes: error.json)
        )
    }

    /// For clients of the form-encoded protocol, which read errors as XML.
    static func queryProtocolResponse(_ context: RastroRequestContext) -> Response {
        let error = SQSError.queryProtocol
        let requestID = context.requestID.description
        let text = """
            <?xml version="1.0"?>
            <ErrorResponse xmlns="http://queue.amazonaws.com/doc/2012-11-05/"><Error><Type>Sender</Type>\
            <Code>\(error.code)</Code><Message>\(error.message)</Message></Error>\
            <RequestId>\(requestID)</RequestId></ErrorResponse>

            """
        let headers: HTTPFields = [.contentType: "text/xml", .amazonRequestID: requestID]
        return Response(status: .badRequest, headers: headers, body: ResponseBody(bytes: Array(text.utf8)))
    }
}
