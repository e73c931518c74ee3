package import LibPQ

/// The statements of this module, for the check at boot.
package enum DeliveryStatements {
    package static var all: [Statement] { Statements.all }
}
