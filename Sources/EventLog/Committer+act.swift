import Catalog
import LibPQ

/// A privileged act is a batch of its own: its statements and its OPERATED event in one transaction.
extension Committer {
    func transact(_ act: Act, of pending: PendingCommit, session: Session, writer: Writer) throws -> CommittedBatch {
        try guardingAgainstLoss(session: session) {
            let needs = BatchNeeds([pending])
            var read = try session.pipeline { pipeline in
                needs.request(from: &pipeline, writer: writer, assignedIDs: [])
            }[...]
            let found = try needs.decode(&read)
            var builder = BatchBuilder(head: found.head, products: [:])
            guard found.admits(pending.context.caller) else { return (builder, [.failure(.keyRevoked)]) }
            let people = try resolve([pending.context], found: found.users, session: session)
            for registered in people.registered {
                let note = Note(type: .userRegistered)
                _ = builder.note(note, context: registered.context, userNumber: registered.number)
            }
            guard let number = people.numbers[pending.context.caller.userID] else { throw BatchFault.unregistered }
            let scribe = ActScribe(builder: builder, context: pending.context)
            let context = ActContext(recordedAt: { scribe.builder.head.time }) { [self] userID in
                let known = try session.query(Statements.findUsers, Parameters().textArray([userID.description]))
                if !known.isEmpty { return try known[0].int32(1) }
                guard let number = try register([userID], session: session)[userID] else {
                    throw BatchFault.unregistered
                }
                scribe.note(Note(type: .userRegistered), userNumber: number)
                return number
            }
            guard let data = try act.body(session, context) else {
                return (scribe.builder, [.success(Outcome(position: nil, answer: .noted))])
            }
            let outcome = scribe.note(Note(type: .operated, data: data), userNumber: number)
            return (scribe.builder, [.success(outcome)])
        } commit: { builder, answers in
            try write(builder, answers: answers, session: session, writer: writer)
        }
    }
}

/// Writes the events of one act, for the act's own statements and for what follows them.
private final class ActScribe {
    private(set) var builder: BatchBuilder
    private let context: RequestContext

    init(builder: BatchBuilder, context: RequestContext) {
        self.builder = builder
        self.context = context
    }

    @discardableResult
    func note(_ note: Note, userNumber: Int32) -> Outcome {
        builder.note(note, context: context, userNumber: userNumber)
    }
}
