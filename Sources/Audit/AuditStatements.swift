package import LibPQ

/// The statements of this module, to be prepared and checked against the schema at boot.
package enum AuditStatements {
    package static var all: [Statement] { Statements.all }
}
