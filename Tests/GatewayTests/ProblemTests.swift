import Catalog
import EventLog
import Foundation
import HTTPTypes
import LibPQ
import Testing

@testable import Gateway

struct ProblemTests {
    @Test(arguments: [
        (CommitError.overloaded, ProblemCode.overloaded, 503),
        (.unavailable, .unavailable, 503),
        (.shuttingDown, .unavailable, 503),
        (.outcomeUnknown, .outcomeUnknown, 503),
        (.programTooOld, .programTooOld, 503),
        (.keyRevoked, .unauthenticated, 401),
        (.refused(sqlState: "XX000"), .internal, 500),
    ])
    func `a commit that failed is told apart`(_ error: CommitError, _ code: ProblemCode, _ status: Int) {
        let problem = Problem(mapping: error, logger: TestGateway.logger)
        #expect(problem.code == code)
        #expect(problem.code.status.code == status)
        #expect(problem.headers.contains(.retryAfter) == (status == 503))
        #expect(problem.headers.contains(.wwwAuthenticate) == (status == 401))
    }

    @Test func `only what the log holds as NOT_FOUND counts as such`() throws {
        let id = try #require(ProductID(5))
        for rejection in [Rejection.notFound(id), .gone(id, version: 2)] {
            #expect(Problem(rejection, position: 7).isRecordedAsNotFound)
            #expect(!Problem(rejection, position: nil).isRecordedAsNotFound)
        }
        // An answer may name an event and yet be no NOT_FOUND.
        for rejection in [Rejection.preconditionFailed(current: 2), .codeTaken(by: id), .idTaken(id), .idUsed(id)] {
            let problem = Problem(rejection, position: 7)
            #expect(problem.headers[.eventPosition] == "7" && !problem.isRecordedAsNotFound)
        }
        #expect(!Problem(.notFoundThen, "no").at(position: 7).isRecordedAsNotFound)
    }

    @Test func `an unknown error is internal and tells nothing`() {
        struct Secret: Error { let password = "hunter2" }
        let problem = Problem(mapping: Secret(), logger: TestGateway.logger)
        #expect(problem.code == .internal)
        #expect(!problem.detail.contains("hunter2"))
    }

    @Test func `a database error tells nothing of the database`() {
        let error = PostgresError(code: .connectFailed, message: "host 10.0.0.1 refused")
        let problem = Problem(mapping: error, logger: TestGateway.logger)
        #expect(problem.code == .unavailable)
        #expect(!problem.detail.contains("10.0.0.1"))
    }

    @Test func `codes are lower-case words joined by hyphens`() {
        for code in ProblemCode.allCases {
            #expect(code.rawValue.utf8.allSatisfy { $0 == UInt8(ascii: "-") || (97...122).contains($0) }, "\(code)")
            #expect(!code.title.isEmpty && !code.explanation.isEmpty)
        }
    }

    @Test func `docs/errors.md lists exactly these codes`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/errors.md"), encoding: .utf8)
        let rows = page.split(separator: "\n").filter { $0.hasPrefix("| ") && $0.contains("| `") }.map(String.init)
        let expected = ProblemCode.allCases.map { "| \($0.status.code) | `\($0.rawValue)` | \($0.title) |" }
        #expect(rows == expected)
    }
}
