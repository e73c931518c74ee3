import HTTPTypes
import Hummingbird

/// The pages that a problem's `type` leads to.
struct ProblemPages: Sendable {
    /// `GET /docs/problems/{code}`
    @Sendable
    func page(_ request: Request, _ context: RastroRequestContext) async throws -> Response {
        guard let code = context.parameters.get("code").flatMap(ProblemCode.init(rawValue:)) else {
            throw Problem(.noSuchPath, "there is no such problem code")
        }
        let body = """
            <h1>\(code.title)</h1>
            <p>Code <code>\(code.rawValue)</code>, status \(code.status.code) \(code.status.reasonPhrase).</p>
            <p>\(code.explanation)</p>
            <p><a href="/docs/problems">All codes</a></p>
            """
        return Self.html(title: code.title, body: body)
    }

    /// `GET /docs/problems`
    @Sendable
    func index(_ request: Request, _ context: RastroRequestContext) async throws -> Response {
        let rows = ProblemCode.allCases.map { code in
            "<tr><td>\(code.status.code)</td><td><a href=\"/docs/problems/\(code.rawValue)\">\(code.rawValue)</a></td>"
                + "<td>\(code.title)</td></tr>"
        }
        return Self.html(
            title: "Problems",
            body: "<h1>Problems</h1>\n<table>\n\(rows.joined(separator: "\n"))\n</table>"
        )
    }

    /// Everything on these pages comes from this program, nothing from a request.
    private static func html(title: String, body: String) -> Response {
        let page = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title) · Rastro</title></head>
            <body>
            \(body)
            </body></html>

            """
        let headers: HTTPFields = [
            .contentType: "text/html; charset=utf-8",
            .cacheControl: "public, max-age=3600",
            .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            .referrerPolicy: "no-referrer",
        ]
        return Response(status: .ok, headers: headers, body: ResponseBody(bytes: Array(page.utf8)))
    }
}
