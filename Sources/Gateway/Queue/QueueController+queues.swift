import Catalog
import Delivery
import EventLog
import Hummingbird
import LibPQ
import SQSProtocol

/// What concerns queues, not messages.
extension QueueController {
    func administer(_ call: QueueCall) async throws -> SQSAnswer {
        switch call.request {
        case .createQueue(let creation): return try await create(creation, call)
        case .getQueueURL(let name):
            return .queueURL(try await QueueName(found: find(name)).url(base: call.baseURL))
        case .listQueues(let prefix, let page): return try await list(prefix: prefix, page, call)
        case .setQueueAttributes(let name, let attributes): try await set(attributes, of: name, call)
        case .purgeQueue(let name):
            do throws(QueueDirectoryError) {
                try await directory.purge(directory.find(name.text), context: call.exchange.eventContext)
            } catch {
                if case .purgeInProgress = error { throw SQSError.purgeInProgress(name) }
                throw error
            }
        case .deleteQueue(let name):
            try await directory.delete(directory.find(name.text), context: call.exchange.eventContext)
        case .tagQueue(let name, let tags):
            try await directory.tag(find(name), set: tags, remove: [], context: call.exchange.eventContext)
        case .untagQueue(let name, let keys):
            try await directory.tag(find(name), set: [:], remove: keys, context: call.exchange.eventContext)
        case .listQueueTags(let name): return .tags(try await find(name).tags)
        case .listDeadLetterSourceQueues(let name, let page):
            return try await deadLetterSources(of: name, page, call)
        case .startMessageMoveTask(let move): return try await start(move, call)
        case .listMessageMoveTasks(let arn, let limit):
            let queue = try await find(arn, as: "SourceArn")
            return .moves(try await directory.moves(of: queue, limit: limit).map { call.answer($0, of: arn) })
        case .cancelMessageMoveTask(let handle): return try await cancelMove(handle, call)
        default: throw SQSError.internalFailure
        }
        return .done
    }

    private func create(_ creation: SQSRequest.Creation, _ call: QueueCall) async throws -> SQSAnswer {
        let name = creation.name
        let events = try await selection(creation.attributes.events)
        let settings = try QueueSettings(creation, events: events)
        do throws(QueueDirectoryError) {
            let context = call.exchange.eventContext
            _ = try await directory.create(name.text, settings, tags: creation.tags, context: context)
        } catch {
            guard case .nameTaken = error else { throw Self.explained(error, creation.attributes) }
            let found = try await find(name).settings
            throw SQSError.queueNameExists(differingIn: settings.firstDifference(from: found))
        }
        return .queueURL(name.url(base: call.baseURL))
    }

    private func selection(_ source: EventSource?) async throws -> EventSelection? {
        guard let source else { return nil }
        let after: Int64
        switch source.start {
        case .position(let position): after = position - 1
        case .new: after = try await log.readers.withConnection { try LogClock(session: $0).end() }
        }
        return EventSelection(types: source.types, products: source.products.map(\.rawValue), after: after)
    }

    private func set(_ attributes: QueueAttributes, of name: QueueName, _ call: QueueCall) async throws {
        let queue = try await find(name)
        try attributes.check(isFIFO: queue.settings.isFIFO)
        if queue.isBuiltIn, let kept = attributes.firstBeyondBuiltIn {
            throw SQSError.accessDenied("\(kept.rawValue) of this queue cannot be changed.")
        }
        var settings = queue.settings
        try settings.apply(attributes)
        do throws(QueueDirectoryError) {
            try await directory.change(queue, to: settings, context: call.exchange.eventContext)
        } catch {
            throw Self.explained(error, attributes)
        }
    }

    private static func explained(_ error: QueueDirectoryError, _ attributes: QueueAttributes) -> any Error {
        guard case .deadLetterQueueInvalid(let reason) = error, case .by(let policy)? = attributes.redrivePolicy else {
            return error
        }
        return SQSError.invalidParameterValue("RedrivePolicy", value: policy.text, "\(reason).")
    }

    private func list(prefix: String, _ page: SQSRequest.Page, _ call: QueueCall) async throws -> SQSAnswer {
        let limit = page.limit ?? SQSRequest.pageLimit
        let found = try await directory.list(prefix: prefix, after: page.after, limit: limit + 1)
        let urls = found.prefix(limit).map { QueueName(found: $0).url(base: call.baseURL) }
        let hasMore = page.limit != nil && found.count > limit
        return .queueURLs(urls, next: hasMore ? SQSRequest.Page.token(after: found[limit - 1].name) : nil)
    }

    private func deadLetterSources(
        of name: QueueName,
        _ page: SQSRequest.Page,
        _ call: QueueCall
    ) async throws -> SQSAnswer {
        let queue = try await find(name)
        let names = try await directory.sources(ofDeadLetterQueue: queue.name).sorted()
            .filter { name in page.after.map { name > $0 } ?? true }
        let limit = page.limit ?? SQSRequest.pageLimit
        let urls = names.prefix(limit).compactMap { QueueName($0)?.url(base: call.baseURL) }
        let hasMore = page.limit != nil && names.count > limit
        return .deadLetterSources(urls, next: hasMore ? SQSRequest.Page.token(after: names[limit - 1]) : nil)
    }

    /// `GetQueueAttributes`: only the owner can count messages.
    func attributes(
        _ names: Set<QueueAttributeName>,
        of name: QueueName,
        _ call: QueueCall
    ) async throws -> Response {
        let queue = try await find(name)
        guard names.contains(where: \.isCount) else {
            return call.response(.attributes(queue.attributes(names, counts: nil, call)))
        }
        return try await atOwner(of: queue, call) { endpoint in
            let counts = try await endpoint.counts()
            return .attributes(queue.attributes(names, counts: counts, call))
        }
    }
}

// MARK: - Moves

extension QueueController {
    private func find(_ arn: QueueARN, as parameter: String) async throws -> QueueDescription {
        do throws(QueueDirectoryError) { return try await directory.find(arn.name.text) } catch {
            if case .noSuchQueue = error { throw SQSError.resourceNotFound(parameter) }
            throw error
        }
    }

    private func start(_ move: SQSRequest.Move, _ call: QueueCall) async throws -> SQSAnswer {
        let queue = try await find(move.source, as: "SourceArn")
        let sources = try await directory.sources(ofDeadLetterQueue: queue.name)
        guard queue.settings.events == nil, !sources.isEmpty else {
            throw SQSError.notADeadLetterQueue
        }
        if let destination = move.destination {
            let target = try await find(destination, as: "DestinationArn")
            guard target.id != queue.id, target.settings.isFIFO == queue.settings.isFIFO else {
                throw SQSError.invalidParameterValue(
                    "DestinationArn",
                    value: destination.description,
                    "The destination must be another queue of the same type."
                )
            }
        }
        let task = try await directory.startMove(
            from: queue,
            to: move.destination?.name.text,
            perSecond: move.perSecond,
            context: call.exchange.eventContext
        )
        return .moveStarted(handle: MoveHandle(number: task.number, queue: move.source.name).text)
    }

    private func cancelMove(_ text: String, _ call: QueueCall) async throws -> SQSAnswer {
        guard let handle = MoveHandle(text: text) else { throw SQSError.invalidTaskHandle }
        let queue = try await find(call.arn(handle.queue), as: "SourceArn")
        func task() async throws -> MoveTask {
            guard
                let task = try await directory.moves(of: queue, limit: 10).first(where: { $0.number == handle.number })
            else { throw SQSError.taskDoesNotExist }
            return task
        }
        guard try await task().status == .running else { throw SQSError.taskNotRunning }
        try await directory.cancelMove(handle.number, context: call.exchange.eventContext)
        return .moveCancelled(moved: try await task().moved)
    }
}

extension QueueCall {
    fileprivate func answer(_ task: MoveTask, of source: QueueARN) -> SQSAnswer.Move {
        let status: SQSAnswer.Move.Status =
            switch task.status {
            case .running: .running
            case .completed: .completed
            case .cancelled: .cancelled
            case .failed: .failed
            }
        var move = SQSAnswer.Move(status: status, source: source, moved: task.moved, startedAt: task.startedAt)
        move.handle = MoveHandle(number: task.number, queue: source.name).text
        move.destination = task.target.flatMap(arn)
        move.perSecond = task.perSecond
        move.toMove = task.total
        move.failure = task.failure
        return move
    }
}
