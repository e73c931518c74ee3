// Hummingbird has types of the same names. This file imports only the event log, so here they mean the log's.
package import EventLog

/// What every event of one request shares.
package typealias EventContext = RequestContext
/// The label that all events of one request share.
package typealias EventRequestID = RequestID
