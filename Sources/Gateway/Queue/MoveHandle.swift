import Catalog
import SQSProtocol

/// Names a move: what the protocol calls a task handle.
struct MoveHandle {
    let number: Int32
    let queue: QueueName

    init(number: Int32, queue: QueueName) { (self.number, self.queue) = (number, queue) }

    init?(text: String) {
        guard let bytes = Base64URL.decode(text), let text = String(validating: bytes, as: UTF8.self) else {
            return nil
        }
        let parts = text.split(separator: "/", maxSplits: 1)
        guard parts.count == 2, let number = Int32(parts[0]), let queue = QueueName(String(parts[1])) else {
            return nil
        }
        self.init(number: number, queue: queue)
    }

    var text: String { Base64URL.encode(Array("\(number)/\(queue)".utf8)) }
}
