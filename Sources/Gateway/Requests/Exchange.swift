package import Catalog
package import EventLog
package import Hummingbird

/// One request by somebody who is known and may make it: what handlers work on.
package struct Exchange: Sendable {
    package let request: Request
    package let context: RastroRequestContext
    package let caller: Caller
    package let via: Via

    /// What every event of this request shares.
    package var eventContext: EventContext {
        EventContext(caller: caller, requestID: context.requestID, trace: context.trace, via: via)
    }

    /// A part of the path, as it was sent; "" when the route has no such part.
    package func pathPart(_ name: String) -> String { context.parameters.get(name) ?? "" }
}
