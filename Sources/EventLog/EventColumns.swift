import Catalog
import LibPQ

/// Events to be appended, column by column as `insert_events` takes them.
struct EventColumns {
    private var positions: [Int64] = []
    private var productIDs: [Int64?] = []
    private var times: [Int64] = []
    private var users: [Int32] = []
    private var clients: [Int32?] = []
    private var versions: [Int32?] = []
    private var types: [Int16] = []
    private var auths: [Int16] = []
    private var vias: [Int16] = []
    private var requestIDs: [(UInt64, UInt64)?] = []
    private var requestLabels: [String?] = []
    private var traces: [[UInt8]?] = []
    private var codes: [String?] = []
    private var salts: [[UInt8]?] = []
    private var data: [[UInt8]?] = []

    var count: Int { positions.count }

    mutating func append(
        position: Int64,
        time: Timestamp,
        productID: Int64?,
        type: EventType,
        version: Int64?,
        code: String?,
        data bytes: [UInt8]?,
        context: RequestContext,
        userNumber: Int32
    ) {
        positions.append(position)
        productIDs.append(productID)
        times.append(time.microseconds)
        users.append(userNumber)
        clients.append(context.caller.client?.number)
        versions.append(version.map { Int32(truncatingIfNeeded: $0) })
        types.append(type.rawValue)
        auths.append(context.caller.auth.rawValue)
        vias.append(context.via.rawValue)
        switch context.requestID {
        case .generated(let uuid):
            requestIDs.append((uuid.high, uuid.low))
            requestLabels.append(nil)
        case .label(let label):
            requestIDs.append(nil)
            requestLabels.append(label)
        }
        traces.append(context.trace?.bytes)
        codes.append(code)
        salts.append(bytes == nil ? nil : Self.salt())
        data.append(bytes)
    }

    var parameters: Parameters {
        Parameters()
            .int64Array(positions).int64Array(productIDs).timestampArray(times).int32Array(users)
            .int32Array(clients).int32Array(versions).int16Array(types).int16Array(auths).int16Array(vias)
            .int16(DataSchema.current).uuidArray(requestIDs).textArray(requestLabels).bytesArray(traces)
            .textArray(codes).bytesArray(salts).jsonArray(data)
    }

    /// 16 random bytes: without them a leaf's data hash could be guessed from likely data.
    private static func salt() -> [UInt8] {
        let words = (RandomWords.next(), RandomWords.next())
        return withUnsafeBytes(of: words) { Array($0) }
    }
}
