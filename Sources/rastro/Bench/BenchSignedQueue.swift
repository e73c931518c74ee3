import Catalog
import Delivery
import EventLog
import Foundation
import SQSProtocol

/// A queue through signed HTTP: the SQS protocol, as an SDK speaks it, by a native load client. Signatures are made
/// beforehand, since the client would take more of the machine for them than the server does for everything.
struct BenchSignedQueue: Sendable {
    private let stage: BenchStage
    private let plan: BenchPlan
    private let tools: BenchTools
    private let access: EventLogAccess
    private let secret: ServerSecret
    private let key: AccessKey

    private static let queue = "bench"
    private static let connections = 64
    /// No more messages may be in flight at once.
    private static let inFlight = 100_000

    init(stage: BenchStage, plan: BenchPlan, tools: BenchTools) async throws {
        self.stage = stage
        self.plan = plan
        self.tools = tools
        access = try await stage.makeDatabase("bench_signed")
        guard let secret = ServerSecret(ServerSecret.randomText()), let owner = UserID(external: "bench") else {
            throw Failure(.usage, "no secret for the bench")
        }
        self.secret = secret
        let (access, logger) = (access, stage.logger)
        let context = try access.commandContext()
        let issued = try await access.withLog { log in
            let directory = QueueDirectory(log: log, host: nil, logger: logger)
            _ = try await directory.create(Self.queue, QueueSettings(isFIFO: false), tags: [:], context: context)
            return try await KeyAdministration(log: log, context: context)
                .create(owner: owner, scopes: [.queueConsume, .queueSend])
        }
        key = AccessKey(
            id: ServerSecret.accessKeyID(of: issued.keyID),
            secret: secret.secretAccessKey(of: issued.keyID, generation: issued.generation)
        )
    }

    /// Sends, receives and deletes, ten messages a request, one after the other.
    func measure() async throws -> BenchFigure {
        Terminal.note("a queue through signed HTTP")
        return try await stage.withServer(access, roles: Set(ServerRole.allCases), secret: secret) { server in
            let host = String(server.dropFirst("http://".count))
            // Enough for all receives.
            var sent: [Double] = []
            let rounds = min(plan.rounds, 3)
            while sent.reduce(0, +) * Double(plan.seconds) < Double(Self.inFlight * (rounds + 1)), sent.count < 30 {
                sent.append(try await run(server, script: try sending(host)).perSecond * 10)
            }
            var (received, deleted): ([Double], [Double]) = ([], [])
            for round in 0..<rounds {
                let (script, directory) = try receiving(host, round: round)
                let load = try await run(server, script: script, seconds: 2)
                let handles = try Self.handles(in: directory)
                received.append(Double(handles.count) / Double(load.requests) * load.perSecond)
                let deletes = try await run(server, script: try deleting(handles, host, round: round), seconds: 1)
                // More deletes than messages: all were gone within the second, so this many at least.
                deleted.append(min(deletes.perSecond * 10, Double(handles.count)))
            }
            return BenchFigure(
                name: "received, deleted by signed HTTP",
                unit: "messages/s",
                samples: zip(received, deleted).map { 1 / (1 / $0 + 1 / $1) },
                goal: .atLeast(15_000),
                remarks: [
                    "\(Self.connections) connections, ten messages a request, \(BenchReport.number(BenchFigure.median(received)))"
                        + " received/s, \(BenchReport.number(BenchFigure.median(deleted))) deleted/s, "
                        + "\(BenchReport.number(BenchFigure.median(sent))) sent/s, one after the other; 1/(1/r + 1/d)"
                ]
            )
        }
    }

    private func run(_ server: String, script: String, seconds: Int? = nil) async throws -> BenchTools.Load {
        try await tools.load(
            server + "/",
            script: script,
            key: nil,
            connections: Self.connections,
            seconds: seconds ?? plan.seconds,
            arguments: []
        )
    }

    // MARK: - Scripts

    private func sending(_ host: String) throws -> String {
        let body = String(repeating: "x", count: 200)
        let entries = (0..<10).map { #"{"Id":"\#($0)","MessageBody":"\#(body)"}"# }.joined(separator: ",")
        let request = #"{"QueueUrl":"\#(Self.queue)","Entries":[\#(entries)]}"#
        return try write(Self.repeating + table(of: request, "SendMessageBatch", host), to: "send.lua")
    }

    private func receiving(_ host: String, round: Int) throws -> (script: String, directory: String) {
        let directory = "\(stage.directory)/handles-\(round)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let request =
            #"{"QueueUrl":"\#(Self.queue)","MaxNumberOfMessages":10,"VisibilityTimeout":3600,"WaitTimeSeconds":0}"#
        let text = Self.repeating + table(of: request, "ReceiveMessage", host) + Self.collecting(into: directory)
        return (try write(text, to: "receive.lua"), directory)
    }

    private func deleting(_ handles: [String], _ host: String, round: Int) throws -> String {
        var text = "local requests = {\n"
        for start in stride(from: 0, to: handles.count, by: 10) {
            let entries = handles[start..<min(start + 10, handles.count)].enumerated().map { index, handle in
                #"{"Id":"\#(index)","ReceiptHandle":"\#(handle)"}"#
            }
            let body = #"{"QueueUrl":"\#(Self.queue)","Entries":[\#(entries.joined(separator: ","))]}"#
            text += "{" + fields(of: body, "DeleteMessageBatch", host) + ", [==[\(body)]==]},\n"
        }
        return try write(text + "}\n" + Self.oneByOne, to: "delete-\(round).lua")
    }

    private func table(of body: String, _ operation: String, _ host: String) -> String {
        "local fields = \(fields(of: body, operation, host))\nlocal body = [==[\(body)]==]\n"
    }

    /// The header fields of a signed request, as a Lua table.
    private func fields(of body: String, _ operation: String, _ host: String) -> String {
        var request = SignableRequest(
            method: "POST",
            path: "/",
            fields: [
                SignableRequest.Field("host", host),
                SignableRequest.Field("content-type", "application/x-amz-json-1.0"),
                SignableRequest.Field("x-amz-target", "AmazonSQS.\(operation)"),
            ],
            body: body.utf8
        )
        RequestSigner(key, region: "us-east-1").sign(&request, at: .now())
        let lines = request.fields.filter { $0.name != "host" }.map { #"["\#($0.name)"]="\#($0.value)""# }
        return "{" + lines.joined(separator: ", ") + "}"
    }

    /// The same request again and again; `fields` and `body` are locals that follow.
    private static let repeating = """
        local threads, text = 0, nil

        function setup(thread)
            threads = threads + 1
            thread:set("number", threads)
        end

        function request()
            text = text or make()
            return text
        end

        """

    private static func collecting(into directory: String) -> String {
        """
        local out

        function response(status, headers, answer)
            out = out or io.open("\(directory)/" .. number, "w")
            for handle in answer:gmatch('"ReceiptHandle":"(%x+)"') do out:write(handle, "\\n") end
            out:flush()
        end

        """
    }

    /// Each request of `requests` once, those of one thread between those of the other; then again.
    private static let oneByOne = """
        local threads = 0
        local next

        function setup(thread)
            threads = threads + 1
            thread:set("number", threads)
        end

        function request()
            next = (next or number - 2) + 2
            local chosen = requests[next % #requests + 1]
            return wrk.format("POST", "/", chosen[1], chosen[2])
        end
        """

    private func write(_ text: String, to name: String) throws -> String {
        let path = "\(stage.directory)/\(name)"
        let make = "\nfunction make() return wrk.format(\"POST\", \"/\", fields, body) end\n"
        try Data((text.contains("make()") ? text + make : text).utf8).write(to: URL(fileURLWithPath: path))
        return path
    }

    private static func handles(in directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).flatMap { name in
            let text = String(
                decoding: FileManager.default.contents(atPath: "\(directory)/\(name)") ?? Data(),
                as: UTF8.self
            )
            return text.split(separator: "\n").map(String.init)
        }
    }
}
