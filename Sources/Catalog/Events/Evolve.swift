/// The state after one more event: the one fold that the live projection and every rebuild run. Pure and total.
///
/// Nothing is taken on trust: versions go up by one, an UPDATED's old values and a DELETED's last state are the
/// state's, codes agree. A FETCHED is checked and changes nothing; any other event is skipped.
///
/// - Parameter state: of the product that the event is about.
package func evolve(
    _ state: ProductState,
    _ event: RecordedProductEvent
) throws(ReplayFault) -> ProductState {
    switch event.type {
    case .created: return .live(try begin(state, event))
    case .updated: return .live(try update(try live(state, event), event))
    case .deleted, .expired: return try end(try live(state, event), event)
    case .fetched:
        let product = try live(state, event)
        try check(event, version: product.version, code: product.code)
        return state
    case .notFound, .denied, .userRegistered, .userErased, .auditQueried, .operated, .throttled, .logPruned,
        .logForked:
        return state
    }
}

private func begin(_ state: ProductState, _ event: RecordedProductEvent) throws(ReplayFault) -> Product {
    guard case .absent = state else { throw .alreadyUsed }
    guard case .created(let product) = event.data else { throw .wrongData }
    guard product.id == event.productID else { throw .wrongProduct(expected: event.productID) }
    guard product.version == 1 else { throw .wrongVersion(expected: 1, found: product.version) }
    try check(event, version: 1, code: product.code)
    guard product.createdAt == event.recordedAt, product.updatedAt == event.recordedAt else { throw .wrongTime }
    return product
}

private func update(_ product: Product, _ event: RecordedProductEvent) throws(ReplayFault) -> Product {
    guard case .updated(let changes) = event.data, !changes.isEmpty else { throw .wrongData }
    var next = product
    for change in changes {
        guard change.apply(to: &next.fields) else { throw .wrongOldValue(change.field) }
    }
    next.version += 1
    next.updatedAt = event.recordedAt
    try check(event, version: next.version, code: next.code)
    return next
}

private func end(_ product: Product, _ event: RecordedProductEvent) throws(ReplayFault) -> ProductState {
    guard case .deleted(let last) = event.data else { throw .wrongData }
    try check(event, version: product.version + 1, code: product.code)
    guard last == product else { throw .wrongLastState }
    return .deleted(last: product, version: product.version + 1)
}

private func live(_ state: ProductState, _ event: RecordedProductEvent) throws(ReplayFault) -> Product {
    guard case .live(let product) = state else { throw .notLive }
    guard product.id == event.productID else { throw .wrongProduct(expected: product.id) }
    guard event.recordedAt >= product.updatedAt else { throw .wrongTime }
    return product
}

private func check(_ event: RecordedProductEvent, version: Int64, code: String) throws(ReplayFault) {
    guard event.version == version else { throw .wrongVersion(expected: version, found: event.version) }
    guard event.code.hasSameBytes(as: code) else { throw .wrongCode }
}
