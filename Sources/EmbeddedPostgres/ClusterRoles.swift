/// The statements that make the two roles and a database of theirs.
enum ClusterRoles {
    private static let owner = ClusterAddress.ownerRole
    private static let serving = ClusterAddress.servingRole

    /// Roles, as far as they are missing. The serving role sees every session's snapshot age, which it reports.
    static let createRoles = [
        createRole(owner, "nologin"),
        createRole(serving, "login"),
        "grant pg_read_all_stats to \(serving)",
    ]

    static func findDatabase(_ name: String) -> String {
        "select 1 from pg_database where datname = \(literal(name))"
    }

    static func createDatabase(_ name: String, template: String?) -> String {
        let source = template ?? "template0"
        return "create database \(identifier(name)) owner \(owner) template \(identifier(source)) encoding 'UTF8'"
    }

    /// Nobody but the two roles gets in, and only the owner makes tables. To be run in the database itself.
    static func grants(database: String) -> [String] {
        [
            "revoke all on database \(identifier(database)) from public",
            "grant connect on database \(identifier(database)) to \(serving)",
            "alter schema public owner to \(owner)",
            "revoke create on schema public from public",
        ]
    }

    private static func createRole(_ name: String, _ options: String) -> String {
        """
        do $$ begin
            if not exists (select from pg_roles where rolname = '\(name)') then create role \(name) \(options); end if;
        end $$
        """
    }

    static func identifier(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }
    private static func literal(_ text: String) -> String { "'" + text.replacing("'", with: "''") + "'" }
}
