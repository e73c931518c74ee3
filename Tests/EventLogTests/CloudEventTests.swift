import Catalog
import EmbeddedPostgres
import LibPQ
import TestSupport
import Testing

@testable import EventLog

@Suite struct CloudEventTests {
    private let identity = LogIdentity(
        origin: "rastro.example/catalogue",
        incarnation: "0a1b2c3d",
        partitionSize: 65_536
    )

    /// An event as a row that holds these values.
    private func event(_ columns: String) async throws -> RecordedEvent {
        let address = try await TestCluster.shared.createDatabase()
        let session = try Session.open(ConnectionConfiguration(url: address.superuserConnectionString))
        defer { session.close() }
        return try RecordedEvent(try session.rows("select \(columns)").only())
    }

    private func change(trace: String = "null::bytea") async throws -> RecordedEvent {
        try await event(
            #"""
            1234::bigint, 5::bigint, '2026-11-24T03:06:03.123456Z'::timestamptz, 7, 3, 2::smallint, 1::smallint,
            5::smallint, 1::smallint, null::uuid, 'r-1'::text, \#(trace), 'COD"5'::text,
            '\x000102030405060708090a0b0c0d0e0f'::bytea, '{"price":{"from":19.90,"to":17.9}}'::json, 'ana'::text,
            decode(repeat('ff', 32), 'hex'), decode(repeat('07', 32), 'hex'), 'k1'::text
            """#
        )
    }

    @Test func aMessageHasItsFixedBytes() async throws {
        let body = CloudEvent.json(try await change(), identity)
        #expect(
            String(decoding: body, as: UTF8.self)
                == #"{"specversion":"1.0","id":"1234","source":"//rastro.example/catalogue/0a1b2c3d/products","#
                + #""type":"rastro.product.updated","subject":"product/5","time":"2026-11-24T03:06:03.123456Z","#
                + #""sequence":"00000000000000001234","datacontenttype":"application/json","data":{"position":1234,"#
                + #""type":"UPDATED","productId":5,"version":3,"code":"COD\"5","userId":"ana","clientId":"k1","#
                + #""auth":"key","requestId":"r-1","via":"put","recordedAt":"2026-11-24T03:06:03.123456Z","schema":1,"#
                + #""data":{"price":{"from":19.90,"to":17.9}},"proof":{"status":"pending","leafIndex":1233}}}"#
        )
    }

    @Test func onlyAReplayedMessageSaysSo() async throws {
        let event = try await change()
        #expect(try JSONParser.parse(CloudEvent.json(event, identity, replay: true))["replay"] == .string("true"))
        #expect(try JSONParser.parse(CloudEvent.json(event, identity))["replay"] == nil)
    }

    @Test func theTraceTravelsAlong() async throws {
        let hex = "0af7651916cd43dd8448eb211c80319cb7ad6b716920333101"
        let json = try JSONParser.parse(
            CloudEvent.json(try await change(trace: "decode('\(hex)', 'hex')"), identity)
        )
        #expect(json["traceparent"] == .string("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"))
    }

    @Test func anErasedUserIsErasedInMessagesToo() async throws {
        let event = try await event(
            """
            9223372036854775807::bigint, null::bigint, '2026-01-01T00:00:00Z'::timestamptz, 7, null::integer,
            9::smallint, 5::smallint, 11::smallint, 1::smallint, null::uuid, 'r-1'::text, null::bytea, null::text,
            null::bytea, null::json, null::text, decode(repeat('ff', 32), 'hex'), null::bytea, null::text
            """
        )
        let json = try JSONParser.parse(CloudEvent.json(event, identity))
        #expect(json["data"]?["userId"] == .string("system:erased:7"))
        #expect(json["subject"] == .string("log"))
        #expect(json["sequence"] == .string("09223372036854775807"))
    }
}
