/// Judges a command against a product's state: the events to record, or why it is refused. Pure.
///
/// Refusals come in the contract's order: not found or gone, precondition, conflict. Every command that is not refused
/// makes exactly one event: one that changes nothing but shows the product makes FETCHED. Only an expiry that is not due
/// makes none.
///
/// - Parameters:
///   - state: the state of the product that `command.productID` names.
///   - codeHolder: the live product that has a code, byte by byte; asked at most once.
///   - at: the time that the event will bear; CREATED's data holds it, so it must be the very `recordedAt`.
package func decide(
    _ command: Command,
    state: ProductState,
    codeHolder: (String) -> ProductID?,
    at time: Timestamp
) throws(Rejection) -> [ProductEvent] {
    let id = command.productID
    switch command {
    case .create(let new, _):
        return [try create(id, new.fields, state: state, codeHolder: codeHolder, at: time)]
    case .replace(_, let replacement, let precondition):
        let product = try current(id, state, precondition)
        return [try change(product, to: replacement.fields, codeHolder: codeHolder)]
    case .patch(_, let patch, let precondition):
        let product = try current(id, state, precondition)
        return [try change(product, to: patch.applied(to: product.fields), codeHolder: codeHolder)]
    case .delete(_, let precondition):
        return [.deleted(try current(id, state, precondition))]
    case .fetch:
        return [.fetched(try current(id, state, .none))]
    case .expire:
        guard case .live(let product) = state, let expiresAt = product.expiresAt, expiresAt <= time else { return [] }
        return [.expired(product)]
    }
}

private func create(
    _ id: ProductID,
    _ fields: ProductFields,
    state: ProductState,
    codeHolder: (String) -> ProductID?,
    at time: Timestamp
) throws(Rejection) -> ProductEvent {
    switch state {
    case .live: throw .idTaken(id)
    case .deleted: throw .idUsed(id)
    case .absent: break
    }
    if let holder = codeHolder(fields.code) { throw .codeTaken(by: holder) }
    return .created(Product(id: id, fields: fields, version: 1, createdAt: time, updatedAt: time))
}

private func change(
    _ product: Product,
    to fields: ProductFields,
    codeHolder: (String) -> ProductID?
) throws(Rejection) -> ProductEvent {
    let changes = FieldChange.between(product.fields, fields)
    if changes.isEmpty { return .fetched(product) }
    if !fields.code.hasSameBytes(as: product.code), let holder = codeHolder(fields.code), holder != product.id {
        throw .codeTaken(by: holder)
    }
    return .updated(product, code: fields.code, changes: changes)
}

/// The live product that the precondition admits.
private func current(
    _ id: ProductID,
    _ state: ProductState,
    _ precondition: Precondition
) throws(Rejection) -> Product {
    switch state {
    case .absent: throw .notFound(id)
    case .deleted(_, let version): throw .gone(id, version: version)
    case .live(let product):
        guard precondition.admits(product.version) else { throw .preconditionFailed(current: product.version) }
        return product
    }
}
