import Audit
import Catalog
import EmbeddedPostgres
import LibPQ
import TestSupport
import Testing

@testable import EventLog

/// Expected bytes were computed by another program: Python's `json.dumps` with sorted keys and `hashlib`.
@Suite struct LeafTests {
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
        let statement = Statement(name: "one_event", text: "select \(columns)")
        return try RecordedEvent(try session.query(statement).only())
    }

    private func change() async throws -> RecordedEvent {
        try await event(
            #"""
            1234::bigint, 5::bigint, '2026-11-24T03:06:03.123456Z'::timestamptz, 7, 3, 2::smallint, 1::smallint,
            5::smallint, 1::smallint, null::uuid, 'r-1'::text, null::bytea,
            U&'C"\00D6\\\001B\000A\2028\+01F600'::text, '\x000102030405060708090a0b0c0d0e0f'::bytea,
            '{"price":{"from":19.9,"to":17.9}}'::json, 'ana'::text,
            '\x202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f'::bytea,
            decode(repeat('07', 32), 'hex'), 'k1'::text
            """#
        )
    }

    @Test func aChangeHasItsFixedBytes() async throws {
        let expected =
            #"{"actor":"ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8","auth":"key","client":"k1","#
            + #""code":"C\"Ö\\\u001b\n"# + "\u{2028}\u{1f600}"
            + #"","datahash":"dUbz9nt6Sni4RUtt7PiYstcHUM1IutSwSkdNIF_N22Y","dataschema":"urn:rastro:data:1","#
            + #""id":"1234","sequence":"00000000000000001234","#
            + #""source":"//rastro.example/catalogue/0a1b2c3d/products","specversion":"1.0","subject":"product/5","#
            + #""time":"2026-11-24T03:06:03.123456Z","type":"rastro.product.updated","version":"3","via":"put"}"#
        let leaf = Leaf.canonicalJSON(try await change(), identity)
        #expect(String(decoding: leaf, as: UTF8.self) == expected)
        #expect(leaf.count == 443)
    }

    @Test func anEventWithoutOptionalsHasItsFixedBytes() async throws {
        let event = try await event(
            """
            9223372036854775807::bigint, null::bigint, '2026-01-01T00:00:00Z'::timestamptz, 7, null::integer,
            9::smallint, 5::smallint, 11::smallint, 1::smallint, null::uuid, 'r-1'::text, null::bytea, null::text,
            null::bytea, null::json, null::text, decode(repeat('ff', 32), 'hex'), null::bytea, null::text
            """
        )
        let expected =
            #"{"actor":"__________________________________________8","auth":"system","id":"9223372036854775807","#
            + #""sequence":"09223372036854775807","source":"//rastro.example/catalogue/0a1b2c3d/products","#
            + #""specversion":"1.0","subject":"log","time":"2026-01-01T00:00:00.000000Z","#
            + #""type":"rastro.log.user_erased","via":"system"}"#
        #expect(String(decoding: Leaf.canonicalJSON(event, identity), as: UTF8.self) == expected)
        #expect(event.userName == "system:erased:7")
    }

    @Test func anEventIsShownAsTheContractSays() async throws {
        var writer = JSONWriter()
        writer.event(try await change())
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == #"{"position":1234,"type":"UPDATED","productId":5,"version":3,"code":"C\"Ö\\\u001b\n"#
                + "\u{2028}\u{1f600}"
                + #"","userId":"ana","clientId":"k1","auth":"key","requestId":"r-1","via":"put","#
                + #""recordedAt":"2026-11-24T03:06:03.123456Z","schema":1,"data":{"price":{"from":19.9,"to":17.9}},"#
                + #""proof":{"status":"pending","leafIndex":1233}}"#
        )
    }

    @Test func oneEventDisclosesWhatChecksIt() async throws {
        let event = try await change()
        var writer = JSONWriter()
        writer.eventWithLeaf(event, identity)
        let json = try JSONParser.parse(writer.bytes)
        #expect(json["leaf"] == .string(String(decoding: Leaf.canonicalJSON(event, identity), as: UTF8.self)))
        #expect(json["actor"] == .string("ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8"))
        #expect(json["userKey"] == .string("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"))
        #expect(json["dataText"] == .string(#"{"price":{"from":19.9,"to":17.9}}"#))
        #expect(json["dataSalt"] == .string("AAECAwQFBgcICQoLDA0ODw"))
    }

    @Test func aLineForATerminalTellsWhatChangedAndCannotMoveItsCursor() async throws {
        #expect(
            EventText.line(try await change())
                == "2026-11-24T03:06:03.123456Z  #1234  UPDATED  product 5 v3 C\"Ö\\\\u{1b}\\u{a}\\u{2028}\u{1f600}"
                + "  by ana (key k1, put)  price: 19.9 → 17.9"
        )
    }
}
