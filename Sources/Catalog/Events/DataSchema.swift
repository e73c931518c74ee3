/// The version of the schema of events' `data`.
package enum DataSchema {
    /// What this program writes, and the newest that it reads.
    package static let current: Int16 = 1
}
