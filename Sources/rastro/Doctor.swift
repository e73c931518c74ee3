import ArgumentParser
import Catalog
import EventLog
import Foundation
import LibPQ
import Logging

struct Doctor: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Examine the database that the log lives in, and say what to do.",
        discussion: """
            A line a check: ok, warning or problem, what was looked at, what was found and what to do. Changes nothing. \
            Exit 1 when there is a problem, 3 when the database cannot be reached; warnings alone exit 0.
            """
    )

    @OptionGroup var options: DatabaseOptions

    /// What one check says.
    struct Finding: Sendable {
        enum Level: String, Sendable { case ok, warning, problem }
        let level: Level
        let check: String
        let found: String
        /// What to do; nil when all is well.
        let advice: String?
    }

    func run() async throws {
        let logger = options.makeLogger()
        let isEmbedded = options.externalDatabase == nil
        let findings: [Finding]
        do {
            findings = try await options.withDatabase(logger: logger) { database in
                try Examination(database: database, isEmbedded: isEmbedded, logger: logger).findings()
            }
        } catch let failure as Failure where failure.status == .unreachable {
            show(
                Finding(
                    level: .problem,
                    check: "connection",
                    found: failure.message,
                    advice: "check that the database runs and that address, role and password are right"
                )
            )
            throw failure
        }
        for finding in findings { show(finding) }
        let problems = findings.count { $0.level == .problem }
        if problems > 0 { throw Failure(.wrong, "\(problems) problem\(problems == 1 ? "" : "s") found") }
    }

    private func show(_ finding: Finding) {
        guard options.json else {
            let level = finding.level.rawValue.padding(toLength: 7, withPad: " ", startingAt: 0)
            let check = finding.check.padding(toLength: 16, withPad: " ", startingAt: 0)
            Terminal.print("\(level)  \(check)  \(finding.found)\(finding.advice.map { "; \($0)" } ?? "")")
            return
        }
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("check", finding.check)
        writer.member("level", finding.level.rawValue)
        writer.member("found", finding.found)
        writer.member("advice", finding.advice)
        writer.endObject()
        Terminal.print(writer.bytes)
    }
}

/// One look at a database: every check reads, none writes.
private struct Examination {
    let database: Database
    let isEmbedded: Bool
    let logger: Logger

    private static let oldestServerVersion: Int32 = 140_000
    private static let gibibyte: Int64 = 1 << 30
    /// Free bytes on the data's disk: below the one a warning, below the other a problem.
    private static let (scarceBytes, leastBytes) = (5 * gibibyte, gibibyte)
    /// Differences of clocks, in microseconds, that nobody need care about.
    private static let clockTolerance: Int64 = 1_000_000
    private static let logEnd = Statement(
        name: "doctor_log_end",
        text: "select position, recorded_at, clock_timestamp() from events order by position desc limit 1"
    )
    /// Seconds between two looks of autovacuum that are too many for a busy queue's tables.
    private static let longNap: Int32 = 15
    /// Seconds that a transaction may hold dead rows back before it is worth a warning, and a problem.
    private static let (longSnapshot, endlessSnapshot) = (60.0, 3_600.0)

    /// - Throws: `Failure`, `.unreachable` when a connection cannot be made or is lost on the way.
    func findings() throws -> [Doctor.Finding] {
        let access = EventLogAccess(database: database, logger: logger)
        do {
            let serving = try Session.open(connection)
            defer { serving.close() }
            let owner = try access.ownerSession()
            defer { owner.close() }
            return try examine(serving: serving, owner: owner)
        } catch let error as PostgresError {
            throw access.failure(error)
        }
    }

    /// As the serving role, as the server connects.
    private var connection: ConnectionConfiguration {
        ConnectionConfiguration(
            url: database.servingURL,
            applicationName: "rastro doctor",
            options: [
                ("search_path", "\(Migrator.schema), pg_temp"), ("statement_timeout", "5s"), ("lock_timeout", "2s"),
            ],
            responseLimit: .seconds(10)
        )
    }

    private func examine(serving: Session, owner: Session) throws -> [Doctor.Finding] {
        var found = [ok("connection", database.description)]
        found += try checkServer(serving)
        found.append(try checkClock(serving))
        found.append(try checkSnapshots(serving))
        if isEmbedded { found.append(try checkDisk(owner)) }
        let schema = try checkSchema(owner)
        found.append(schema)
        guard schema.level == .ok else { return found }
        guard let identity = try LogIdentity.read(serving) else {
            return found + [problem("log", "there is none yet", "run `rastro migrate`")]
        }
        found.append(ok("log", "\(identity.origin), incarnation \(identity.incarnation)"))
        found.append(try checkRoles(serving))
        found.append(try checkVacuum(owner))
        found.append(try checkGuards(serving))
        found += try checkLogEnd(serving)
        return found
    }
}

// MARK: - The server

extension Examination {
    private func checkServer(_ session: Session) throws -> [Doctor.Finding] {
        let statement = Statement(
            name: "doctor_server",
            text: """
                select current_setting('server_version_num')::int, current_setting('server_version'),
                    current_setting('server_encoding'), current_setting('fsync'), current_setting('full_page_writes'),
                    current_setting('synchronous_commit')
                """
        )
        let row = try session.query(statement).only()
        let version = try row.text(1)
        let encoding = try row.text(2)
        let synced = try row.text(5)
        return [
            try row.int32(0) >= Self.oldestServerVersion
                ? ok("server version", version)
                : problem("server version", version, "PostgreSQL 14 or newer is needed"),
            encoding == "UTF8"
                ? ok("encoding", encoding) : problem("encoding", encoding, "make a database with encoding UTF8"),
            try row.text(3) == "on"
                ? ok("fsync", "on") : problem("fsync", "off: a crash can lose the whole database", "set fsync = on"),
            try row.text(4) == "on"
                ? ok("full page writes", "on")
                : problem("full page writes", "off: a crash can tear pages", "set full_page_writes = on"),
            synced != "off"
                ? ok("commits", "synchronous_commit is \(synced)")
                : problem(
                    "commits",
                    "synchronous_commit is off: a crash can lose events that were answered",
                    "set synchronous_commit = on"
                ),
        ]
    }

    /// Recorded times are the database's; this machine's clock matters to those who compare them with its logs.
    private func checkClock(_ session: Session) throws -> Doctor.Finding {
        let statement = Statement(name: "doctor_clock", text: "select clock_timestamp()")
        _ = try session.query(statement)
        let before = Timestamp.now().microseconds
        let theirs = try session.query(statement).only().timestamp(0)
        let after = Timestamp.now().microseconds
        let difference = theirs - (before + (after - before) / 2)
        let text = "the database's is \(milliseconds(difference)) ahead of this machine's"
        guard abs(difference) > Self.clockTolerance + (after - before) else { return ok("clock", text) }
        return warning("clock", text, "synchronise both machines' clocks")
    }

    private func checkSnapshots(_ session: Session) throws -> Doctor.Finding {
        let statement = Statement(
            name: "doctor_snapshots",
            text: """
                select pg_has_role(current_user, 'pg_read_all_stats', 'usage'), oldest.seconds::float8, oldest.holder
                from (select) nothing left join lateral (
                    select extract(epoch from clock_timestamp() - coalesce(xact_start, query_start)) as seconds,
                        format('process %s (%s)', pid, coalesce(nullif(application_name, ''), backend_type)) as holder
                    from pg_stat_activity
                    where (backend_xmin is not null or backend_xid is not null) and pid <> pg_backend_pid()
                    union all
                    select extract(epoch from clock_timestamp() - prepared), format('prepared transaction %L', gid)
                    from pg_prepared_xacts
                    order by 1 desc nulls last limit 1
                ) oldest on true
                """
        )
        let row = try session.query(statement).only()
        let check = "oldest snapshot"
        let isLong: Bool
        let text: String
        if let seconds = try row.optionalDouble(1), let holder = try row.optionalText(2) {
            text = "\(Int(seconds)) s, held by \(holder)"
            let advice = "end it: dead rows pile up while it lasts"
            if seconds > Self.endlessSnapshot { return problem(check, text, advice) }
            if seconds > Self.longSnapshot { return warning(check, text, advice) }
            isLong = true
        } else {
            (text, isLong) = ("none", false)
        }
        guard try row.bool(0) else {
            let seen = isLong ? text : "none of this role's own"
            return warning(check, seen, "grant pg_read_all_stats to the serving role to see those of others")
        }
        return ok(check, text)
    }

    /// - Parameter session: the embedded owner's, whose login may see where the data lies.
    private func checkDisk(_ session: Session) throws -> Doctor.Finding {
        try session.execute("set role none")
        let statement = Statement(name: "doctor_data_directory", text: "select current_setting('data_directory')")
        let directory = try session.query(statement).only().text(0)
        let attributes = try? FileManager.default.attributesOfFileSystem(forPath: directory)
        guard let free = (attributes?[.systemFreeSize] as? NSNumber)?.int64Value else {
            return warning("disk", "the free space at \(directory) cannot be read", "look with `df`")
        }
        let tenths = free * 10 / Self.gibibyte
        let text = "\(tenths / 10).\(tenths % 10) GiB free at \(directory)"
        if free < Self.leastBytes { return problem("disk", text, "make room: a full disk stops the log") }
        if free < Self.scarceBytes { return warning("disk", text, "make room soon") }
        return ok("disk", text)
    }
}

// MARK: - The log

extension Examination {
    private func checkSchema(_ session: Session) throws -> Doctor.Finding {
        let pending = try Migrator(session: session, logger: logger).pending()
        guard pending.isEmpty else {
            return problem("schema", "pending: \(pending.joined(separator: ", "))", "run `rastro migrate`")
        }
        let statement = Statement(
            name: "doctor_schema",
            text: "select max(number) from \(Migrator.schema).schema_versions"
        )
        let version = Int(try session.query(statement).only().int32(0))
        guard version <= Migrator.latest else {
            let text = "version \(version), this program knows \(Migrator.latest)"
            return problem("schema", text, "use the newer rastro")
        }
        return ok("schema", "version \(version)")
    }

    private func checkRoles(_ session: Session) throws -> Doctor.Finding {
        let statement = Statement(
            name: "doctor_roles",
            text: """
                select current_user::text, r.rolsuper, pg_has_role(current_user, c.relowner, 'member'),
                    has_table_privilege('events', 'update, delete, truncate')
                from pg_class c, pg_roles r where c.oid = 'events'::regclass and r.rolname = current_user
                """
        )
        let row = try session.query(statement).only()
        let role = try row.text(0)
        let isSuperuser = try row.bool(1)
        if try isSuperuser || row.bool(2) {
            return warning(
                "roles",
                "the guard is advisory: \(role) serves and \(isSuperuser ? "is a superuser" : "owns the tables")",
                "serve as a role of its own and name the owner's URL in RASTRO_OWNER_DATABASE_URL"
            )
        }
        if try row.bool(3) {
            let advice = "revoke update, delete and truncate on all tables of events from \(role)"
            return problem("roles", "\(role) may change events", advice)
        }
        return ok("roles", "\(role) serves and can neither change events nor alter their tables")
    }

    /// - Parameter session: as the server vacuums.
    private func checkVacuum(_ session: Session) throws -> Doctor.Finding {
        let check = "vacuum"
        guard try !TableVacuum.isAllowed(session) else {
            return ok(check, "the server vacuums the queues' tables itself, as the owner")
        }
        let statement = Statement(
            name: "doctor_autovacuum",
            text: """
                select current_setting('autovacuum') = 'on' and current_setting('track_counts') = 'on',
                    extract(epoch from current_setting('autovacuum_naptime')::interval)::int,
                    current_setting('autovacuum_naptime')
                """
        )
        let row = try session.query(statement).only()
        let advice = "name the owner's URL in RASTRO_OWNER_DATABASE_URL for `rastro serve`"
        guard try row.bool(0) else {
            return problem(check, "autovacuum is off, and the server may not vacuum: tables grow for ever", advice)
        }
        let text = "the server may not vacuum; autovacuum looks every \(try row.text(2))"
        guard try row.int32(1) > Self.longNap else { return ok(check, text) }
        return warning(check, "\(text): busy queues' tables grow large", "\(advice), or set autovacuum_naptime = 5s")
    }

    private func checkGuards(_ session: Session) throws -> Doctor.Finding {
        let statement = Statement(
            name: "doctor_guards",
            text: """
                select count(*)::int, count(*) filter (where not exists (
                    select from pg_trigger t where t.tgrelid = tables.id and t.tgname = 'events_immutable_statement'
                        and t.tgenabled in ('O', 'A')))::int
                from (
                    select 'events'::regclass::oid as id
                    union all select inhrelid from pg_inherits where inhparent = 'events'::regclass
                ) tables
                """
        )
        let row = try session.query(statement).only()
        let (all, open) = (try row.int32(0), try row.int32(1))
        guard open > 0 else { return ok("guards", "on all \(all) tables of events") }
        return problem(
            "guards",
            "\(open) of \(all) tables of events lack their trigger or have it disabled",
            "find out who did that, then enable events_immutable_statement there"
        )
    }

    private func checkLogEnd(_ session: Session) throws -> [Doctor.Finding] {
        let end = try session.query(Self.logEnd)
        let position = try end.isEmpty ? 0 : end[0].int64(0)
        let ahead = try end.isEmpty ? 0 : end[0].timestamp(1) - end[0].timestamp(2)
        let time =
            ahead > Self.clockTolerance
            ? warning(
                "log time",
                "\(milliseconds(ahead)) ahead of the clock: it was set back",
                "leave it: the log's time creeps on until the clock has caught up"
            ) : ok("log time", "not ahead of the clock")
        return [time, try checkPartitions(session, after: position)]
    }

    private func checkPartitions(_ session: Session, after position: Int64) throws -> Doctor.Finding {
        let statement = Statement(
            name: "doctor_partitions",
            text: """
                select count(*)::int from pg_inherits join pg_class c on c.oid = inhrelid
                where inhparent = 'events'::regclass and substr(c.relname, length('events_') + 1)::bigint > $1::bigint
                """
        )
        let ahead = try session.query(statement, Parameters().int64(position)).only().int32(0)
        let text = "\(ahead) ahead of position \(position)"
        let advice = "run `rastro migrate`, and look why the server made none"
        switch ahead {
        case 2...: return ok("partitions", text)
        case 1: return warning("partitions", text, advice)
        default: return problem("partitions", text, advice)
        }
    }
}

// MARK: - Findings

extension Examination {
    private func ok(_ check: String, _ found: String) -> Doctor.Finding {
        Doctor.Finding(level: .ok, check: check, found: found, advice: nil)
    }

    private func warning(_ check: String, _ found: String, _ advice: String) -> Doctor.Finding {
        Doctor.Finding(level: .warning, check: check, found: found, advice: advice)
    }

    private func problem(_ check: String, _ found: String, _ advice: String) -> Doctor.Finding {
        Doctor.Finding(level: .problem, check: check, found: found, advice: advice)
    }

    private func milliseconds(_ microseconds: Int64) -> String { "\(microseconds / 1_000) ms" }
}
