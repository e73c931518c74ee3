/// Every metric there is: the one list from which `GET /metrics` and the tables of docs/metrics.md are made.
///
/// Names are promises to dashboards and alarms: they do not change. Where OpenTelemetry has a name, it is that one as
/// Prometheus spells it; our own begin with `rastro_`. No label ever holds a product, a user, a request or a path.
package enum Metric: String, Sendable, CaseIterable {
    case databaseUp = "rastro_database_up"
    case logPosition = "rastro_log_position"
    case logBatches = "rastro_log_commits_total"
    case logEvents = "rastro_log_events_total"
    case logWaiting = "rastro_log_waiting_events"

    case destinationLag = "rastro_destination_lag_events"
    case destinationAge = "rastro_destination_age_seconds"
    case destinationParked = "rastro_destination_parked_events"
    case destinationParkedAge = "rastro_destination_parked_age_seconds"
    case destinationHeld = "rastro_destination_held_products"
    case destinationHasOwner = "rastro_destination_has_owner"
    case destinationPaused = "rastro_destination_paused"
    case destinationFailing = "rastro_destination_failing"
    case destinationBytes = "rastro_destination_sent_bytes_total"
    case sentMessages = "messaging_client_sent_messages_total"
    case operationDuration = "messaging_client_operation_duration_seconds"

    case queueVisible = "rastro_queue_visible_messages"
    case queueInFlight = "rastro_queue_in_flight_messages"
    case queueDelayed = "rastro_queue_delayed_messages"
    case queueAge = "rastro_queue_age_seconds"
    case queueBehind = "rastro_queue_behind_messages"
    case queueDead = "rastro_queue_dead_messages"
    case queueHasOwner = "rastro_queue_has_owner"
    case queueOwned = "rastro_queue_owned"
    case queueSent = "rastro_queue_sent_messages_total"
    case queueReceived = "rastro_queue_received_messages_total"
    case queueDeleted = "rastro_queue_deleted_messages_total"
    case queueDeadLettered = "rastro_queue_dead_lettered_messages_total"
    case consumedMessages = "messaging_client_consumed_messages_total"

    package enum Kind: String, Sendable {
        case counter, gauge, histogram
    }

    package enum Unit: String, Sendable {
        case batches, bytes, events, messages, products, seconds
        /// 1: it is so; 0: it is not.
        case flag = "1 or 0"
        case position
    }

    package struct Definition: Sendable {
        package let kind: Kind
        package let unit: Unit
        /// Names of its labels, in the order in which values are given.
        package let labels: [String]
        package let help: String

        fileprivate init(_ kind: Kind, _ unit: Unit, _ help: String) { self.init(kind, unit, [], help) }

        fileprivate init(_ kind: Kind, _ unit: Unit, _ labels: [String], _ help: String) {
            self.kind = kind
            self.unit = unit
            self.labels = labels
            self.help = help
        }
    }

    package var name: String { rawValue }

    /// Upper bounds of a histogram's buckets, in seconds.
    package static let buckets = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

    private static let destination = ["destination"]
    private static let queue = ["queue"]
    private static let operation = ["messaging_system", "messaging_destination_name", "messaging_operation_name"]
    private static let consumption = [
        "messaging_system", "messaging_destination_name", "messaging_consumer_group_name", "error_type",
    ]
}

// MARK: - What each means

extension Metric {
    package var definition: Definition {
        switch self {
        case .databaseUp:
            Definition(.gauge, .flag, "The database answered in time; if not, what only it knows is left out.")
        case .logPosition: Definition(.gauge, .position, "The log's last position, as far as this process knows.")
        case .logBatches: Definition(.counter, .batches, "Batches that this process committed to the log.")
        case .logEvents: Definition(.counter, .events, "Events that this process committed to the log.")
        case .logWaiting: Definition(.gauge, .events, "Events that wait in this process for their batch.")
        default: deliveryDefinition
        }
    }

    private var deliveryDefinition: Definition {
        switch self {
        case .destinationLag:
            Definition(.gauge, .events, Self.destination, "Positions between the cursor and the log's end.")
        case .destinationAge:
            Definition(.gauge, .seconds, Self.destination, "Age of the oldest event neither accepted nor parked.")
        case .destinationParked:
            Definition(.gauge, .events, Self.destination, "Events that were refused for good and not settled.")
        case .destinationParkedAge:
            Definition(.gauge, .seconds, Self.destination, "How long the first parked event has been parked.")
        case .destinationHeld:
            Definition(.gauge, .products, Self.destination, "Products with events that wait behind the cursor.")
        case .destinationHasOwner: Definition(.gauge, .flag, Self.destination, "Some process relays to it.")
        case .destinationPaused: Definition(.gauge, .flag, Self.destination, "The destination is paused.")
        case .destinationFailing:
            Definition(.gauge, .flag, Self.destination, "The destination as a whole gives no proper answer.")
        case .destinationBytes:
            Definition(.counter, .bytes, Self.destination, "Bytes of bodies sent by this process and accepted.")
        case .sentMessages:
            Definition(
                .counter,
                .messages,
                Self.operation + ["error_type"],
                "Messages that this process sent; error_type is empty (accepted), retry, refused or unavailable."
            )
        case .operationDuration:
            Definition(.histogram, .seconds, Self.operation, "How long a request to the destination took.")
        default: queueDefinition
        }
    }

    private var queueDefinition: Definition {
        switch self {
        case .queueVisible: Definition(.gauge, .messages, Self.queue, "Messages that can be received now, about.")
        case .queueInFlight: Definition(.gauge, .messages, Self.queue, "Messages received and not deleted, about.")
        case .queueDelayed: Definition(.gauge, .messages, Self.queue, "Messages whose delay is not over, about.")
        case .queueAge: Definition(.gauge, .seconds, Self.queue, "Age of the oldest message that is not deleted.")
        case .queueBehind:
            Definition(.gauge, .messages, Self.queue, "At most so many messages are not deleted: all since the oldest.")
        case .queueDead:
            Definition(.gauge, .messages, Self.queue, "Messages of this queue in its dead-letter queue, up to 10,000.")
        case .queueHasOwner: Definition(.gauge, .flag, Self.queue, "Some process serves the queue.")
        case .queueOwned: Definition(.gauge, .flag, Self.queue, "This process serves the queue.")
        case .queueSent: Definition(.counter, .messages, Self.queue, "Messages that were sent, without repeated ones.")
        case .queueReceived: Definition(.counter, .messages, Self.queue, "Messages that were given to receivers.")
        case .queueDeleted: Definition(.counter, .messages, Self.queue, "Deletes of messages that were done.")
        case .queueDeadLettered:
            Definition(.counter, .messages, Self.queue, "Messages that were set aside after too many receives.")
        default:
            Definition(
                .counter,
                .messages,
                Self.consumption,
                "Messages that this process consumed; error_type is empty (done) or failed (they come again)."
            )
        }
    }
}
