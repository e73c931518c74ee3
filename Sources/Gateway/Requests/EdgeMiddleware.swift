import EventLog
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// The outermost layer: labels, limits on what is read, and the form of every answer.
struct EdgeMiddleware: RouterMiddleware {
    typealias Context = RastroRequestContext

    let routes: RouteTable
    let headerLimitBytes: Int
    let body: BodyLimits
    /// How long a client that was answered before it had sent its whole body may go on sending.
    private static let lingering: Duration = .seconds(2)

    func handle(
        _ request: Request,
        context: Context,
        next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var context = context
        context.readLabels(request.headers)
        var response: Response
        do {
            try checkHead(request)
            response = try await next(request, context)
        } catch {
            let problem =
                routes.methodProblem(request, error) ?? Problem(mapping: error, logger: context.labelledLogger)
            response = problem.response(to: request, requestID: context.requestID)
        }
        await settleBody(request, context, &response)
        finish(&response, request: request, context: context)
        return response
    }

    private func checkHead(_ request: Request) throws(Problem) {
        var size = request.head.path?.utf8.count ?? 0
        for field in request.headers { size += field.name.rawName.utf8.count + field.value.utf8.count }
        guard size <= headerLimitBytes else {
            throw Problem(.headersTooLarge, "path and headers together may have \(headerLimitBytes) bytes")
        }
        guard !Self.hasEmptyPart(request.uri.path.utf8) else {
            throw Problem(.noSuchPath, "there is nothing at this path: it has an empty part")
        }
    }

    /// Whether two slashes follow each other or one ends the path; `/` itself has none.
    private static func hasEmptyPart(_ path: String.UTF8View) -> Bool {
        guard path.count > 1 else { return false }
        var isAfterSlash = false
        for byte in path {
            let isSlash = byte == UInt8(ascii: "/")
            if isSlash && isAfterSlash { return true }
            isAfterSlash = isSlash
        }
        return isAfterSlash
    }

    private func finish(_ response: inout Response, request: Request, context: Context) {
        response.headers[.requestID] = context.requestID.description
        response.headers[.xContentTypeOptions] = "nosniff"
        if !response.headers.contains(.cacheControl) { response.headers[.cacheControl] = "no-store" }
        if response.status == .noContent || response.status == .notModified {
            response.headers[.contentLength] = nil
        } else if request.method == .head {
            response = response.createHeadResponse()
        }
    }

    /// A body that nobody read must leave the connection before the next request can be read from it: a small one is
    /// read to its end, a large one ends the connection.
    private func settleBody(_ request: Request, _ context: Context, _ response: inout Response) async {
        guard request.announcesBody, !context.bodyState.isTaken || response.status == .contentTooLarge else { return }
        let length = request.headers[.contentLength].flatMap { Int($0) }
        if !context.bodyState.isTaken, let length, length <= body.bytes, !request.headers.contains(.expect) {
            context.bodyState.take()
            let ticket = body.deadlines.begin(context.connection)
            defer { body.deadlines.end(ticket) }
            do {
                for try await _ in request.body {}
                return
            } catch {
                context.logger.debug("an unread body broke off", metadata: ["error": "\(error)"])
            }
        }
        response.headers[.connection] = "close"
        let connection = context.connection
        connection.eventLoop.scheduleTask(in: TimeAmount(Self.lingering)) { connection.close(mode: .all, promise: nil) }
    }
}

extension Request {
    /// Whether a body follows the head.
    var announcesBody: Bool {
        if headers.contains(.transferEncoding) { return true }
        guard let length = headers[values: .contentLength].first else { return false }
        return length != "0"
    }
}
