import Catalog

/// One entry of a batch: good, or refused alone.
package struct BatchEntry<Content: Sendable>: Sendable {
    package let id: String
    package let content: Result<Content, SQSError>

    package init(id: String, content: Result<Content, SQSError>) {
        (self.id, self.content) = (id, content)
    }

    /// Reads `Entries`.
    ///
    /// - Throws: what makes the whole batch void: no entry, too many, ids that are malformed or repeated.
    static func entries(
        _ request: ObjectReader,
        of operation: SQSOperation,
        _ read: (ObjectReader) throws(SQSError) -> Content
    ) throws(SQSError) -> [BatchEntry] {
        let items = try request.items("Entries")
        guard !items.isEmpty else { throw .emptyBatch(operation) }
        guard items.count <= SQSRequest.batchLimit else { throw .tooManyEntries(items.count) }
        var entries: [BatchEntry] = []
        for item in items {
            let reader = try ObjectReader(item, named: "Entries")
            guard let id = try reader.text("Id") else { throw .missingParameter("Id") }
            guard isID(id) else { throw .invalidBatchEntryID }
            guard !entries.contains(where: { $0.id == id }) else { throw .idsNotDistinct(id) }
            do throws(SQSError) {
                entries.append(BatchEntry(id: id, content: .success(try read(reader))))
            } catch {
                // What is no value of its type makes no sense in any batch.
                guard error.shape != SQSError.serialization("").shape else { throw error }
                entries.append(BatchEntry(id: id, content: .failure(error)))
            }
        }
        return entries
    }

    private static func isID(_ text: String) -> Bool {
        (1...80).contains(text.utf8.count)
            && text.utf8.allSatisfy {
                $0.isAlphanumeric || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
            }
    }
}
