import Glibc

/// The programs of one installed PostgreSQL.
package struct PostgresInstallation: Hashable, Sendable {
    package let binDirectory: String
    package let majorVersion: Int

    package static let oldestMajorVersion = 14
    static let neededPrograms = ["postgres", "initdb", "psql"]

    package var postgres: String { binDirectory + "/postgres" }
    package var initdb: String { binDirectory + "/initdb" }
    package var psql: String { binDirectory + "/psql" }
    package var pgDump: String { binDirectory + "/pg_dump" }

    /// The newest installation, or the one of `majorVersion` when that is given (what made a cluster must run it).
    /// Starts each `postgres` it finds once to ask for its version; blocks the calling thread.
    /// - Throws: ``EmbeddedPostgresError`` with `notInstalled`.
    package static func find(majorVersion wanted: Int? = nil) throws -> PostgresInstallation {
        let all = candidates().compactMap(inspect)
        if let wanted {
            if let match = all.first(where: { $0.majorVersion == wanted }) { return match }
            throw EmbeddedPostgresError(
                .notInstalled,
                "the data was made by PostgreSQL \(wanted), which is not installed: install it, or upgrade the data"
            )
        }
        let fit = all.filter { $0.majorVersion >= oldestMajorVersion }
        if let newest = fit.max(by: { $0.majorVersion < $1.majorVersion }) { return newest }
        throw EmbeddedPostgresError(
            .notInstalled,
            "no PostgreSQL \(oldestMajorVersion) or newer is installed: install the package postgresql, "
                + "or set DATABASE_URL to use a server of your own"
        )
    }

    /// Directories that may hold the programs: the packages' places, `pg_config --bindir`, then PATH.
    private static func candidates() -> [String] {
        var directories = FileText.children(of: "/usr/lib/postgresql").map { "/usr/lib/postgresql/\($0)/bin" }
        directories += FileText.children(of: "/usr").filter { $0.hasPrefix("pgsql-") }.map { "/usr/\($0)/bin" }
        let path = getenv("PATH").map { String(cString: $0) } ?? ""
        let searched = path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        if let config = searched.map({ $0 + "/pg_config" }).first(where: { access($0, X_OK) == 0 }),
            let outcome = try? ChildProcess.run([config, "--bindir"], timeout: .seconds(5)), outcome.succeeded
        {
            directories.append(String(outcome.output.prefix { !$0.isNewline }))
        }
        directories += searched
        var seen: Set<String> = []
        return directories.filter { seen.insert($0).inserted }
    }

    private static func inspect(_ directory: String) -> PostgresInstallation? {
        guard neededPrograms.allSatisfy({ access("\(directory)/\($0)", X_OK) == 0 }),
            let outcome = try? ChildProcess.run([directory + "/postgres", "--version"], timeout: .seconds(5)),
            outcome.succeeded, let major = majorVersion(in: outcome.output)
        else { return nil }
        return PostgresInstallation(binDirectory: directory, majorVersion: major)
    }

    /// The major version in a line such as `postgres (PostgreSQL) 15.14 (Debian …)`.
    static func majorVersion(in line: String) -> Int? {
        guard let mark = line.firstRange(of: "(PostgreSQL) ") else { return nil }
        return Int(line[mark.upperBound...].prefix { $0.isASCII && $0.isNumber })
    }
}
