import Catalog
import NIOCore

/// JetStream over one connection: streams, acknowledged publishing, stored messages.
///
/// Source: NATS ADR-1 and the JetStream wire API under `$JS.API`.
package struct JetStreamClient: Sendable {
    package let connection: NATSConnection

    package init(_ connection: NATSConnection) { self.connection = connection }

    // MARK: - Streams

    /// Nil: there is no such stream.
    package func stream(_ name: String) async throws(NATSError) -> StreamInfo? {
        guard let answer = try await find("STREAM.INFO.\(name)", JetStreamErrorCode.streamNotFound) else { return nil }
        return try StreamInfo(answer)
    }

    package func createStream(_ configuration: StreamConfiguration) async throws(NATSError) -> StreamInfo {
        try StreamInfo(try await call("STREAM.CREATE.\(configuration.name)", configuration.json))
    }

    /// The stream, made when it is missing. One that is there stays as it is, if it takes the subjects, perhaps with others,
    /// keeps them in files whether they were read or not, and acknowledges them: how long, how often and how large is its
    /// owner's affair.
    package func ensureStream(_ configuration: StreamConfiguration) async throws(NATSError) -> StreamInfo {
        if let stream = try await stream(configuration.name) { return try Self.check(stream, configuration) }
        do { return try await createStream(configuration) } catch {
            // Somebody else may have made it a moment ago.
            guard case .refused(_, JetStreamErrorCode.streamNameInUse) = error.code,
                let stream = try await stream(configuration.name)
            else { throw error }
            return try Self.check(stream, configuration)
        }
    }

    private static func check(
        _ stream: StreamInfo,
        _ wanted: StreamConfiguration
    ) throws(NATSError) -> StreamInfo {
        let areTaken = wanted.subjects.allSatisfy { subject in
            stream.subjects.contains { NATSSubject.pattern($0, covers: subject) }
        }
        guard areTaken else {
            throw NATSError(
                .invalidConfiguration,
                "the stream \(stream.name) takes other subjects than \(wanted.subjects.joined(separator: ", "))"
            )
        }
        guard stream.isStoredInFiles else {
            throw NATSError(.invalidConfiguration, "the stream \(stream.name) is kept in memory, not in files")
        }
        guard stream.retention == "limits" else {
            throw NATSError(
                .invalidConfiguration,
                "the stream \(stream.name) drops what was read (retention \(stream.retention)): it must be limits"
            )
        }
        guard stream.acknowledges else {
            throw NATSError(.invalidConfiguration, "the stream \(stream.name) acknowledges nothing (no_ack)")
        }
        return stream
    }

    // MARK: - Messages

    /// Publishes in order, with many acknowledgements awaited at once; after the first failure nothing more is sent.
    /// - Returns: An outcome each, in order. Messages that were in flight behind a failure have outcomes of their own.
    package func publish(_ messages: [OutgoingMessage]) async -> [Result<PublishAcknowledgement, NATSError>] {
        let answers = await connection.exchange(messages) { (try? Self.read($0)) == nil }
        return answers.map { answer in
            do throws(NATSError) {
                return .success(try PublishAcknowledgement(try Self.read(try answer.get())))
            } catch { return .failure(error) }
        }
    }

    /// The last message of a stream whose subject matches; nil: there is none.
    package func lastMessage(_ stream: String, subject: String) async throws(NATSError) -> StoredMessage? {
        try await message(stream, .object([JSONMember(key: "last_by_subj", value: .string(subject))]))
    }

    /// The message with that sequence; nil: there is none.
    package func message(_ stream: String, sequence: Int64) async throws(NATSError) -> StoredMessage? {
        try await message(stream, .object([JSONMember(key: "seq", value: .integer(sequence))]))
    }

    private func message(_ stream: String, _ request: JSONValue) async throws(NATSError) -> StoredMessage? {
        let answer = try await find("STREAM.MSG.GET.\(stream)", JetStreamErrorCode.noMessageFound, request)
        return try answer.map { value throws(NATSError) in try StoredMessage(value) }
    }

    // MARK: - The API

    private func call(_ operation: String, _ body: [UInt8] = []) async throws(NATSError) -> JSONValue {
        try Self.read(try await connection.request(OutgoingMessage(subject: "$JS.API.\(operation)", payload: body)))
    }

    /// Nil when JetStream answers with that code.
    private func find(
        _ operation: String,
        _ absent: Int,
        _ request: JSONValue? = nil
    ) async throws(NATSError) -> JSONValue? {
        var writer = JSONWriter()
        if let request { writer.value(request) }
        do { return try await call(operation, writer.bytes) } catch {
            guard case .refused(_, absent) = error.code else { throw error }
            return nil
        }
    }

    /// An answer's JSON; the error it holds is thrown.
    private static func read(_ answer: NATSMessage) throws(NATSError) -> JSONValue {
        let json: JSONValue
        do { json = try JSONParser.parse(answer.payload.readableBytesView) } catch {
            throw NATSError(.protocolViolation, "an answer is not JSON: \(error.message)")
        }
        guard let error = json["error"] else { return json }
        throw NATSError(
            .refused(
                status: error["code"]?.int.flatMap { Int(exactly: $0) } ?? 0,
                code: error["err_code"]?.int.flatMap { Int(exactly: $0) } ?? 0
            ),
            error["description"]?.text ?? ""
        )
    }
}
