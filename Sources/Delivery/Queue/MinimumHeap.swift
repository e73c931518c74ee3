/// A binary heap of values by an `Int64` key, smallest key first. Push and pop are O(log n).
///
/// Values are never removed from the middle: whoever pops one judges whether it is still meant.
struct MinimumHeap<Value: Sendable>: Sendable {
    struct Element: Sendable {
        let key: Int64
        let value: Value
    }

    private var elements: ContiguousArray<Element> = []

    var count: Int { elements.count }
    var first: Element? { elements.first }

    mutating func push(_ key: Int64, _ value: Value) {
        elements.append(Element(key: key, value: value))
        siftUp(from: elements.count - 1)
    }

    @discardableResult
    mutating func popFirst() -> Element? {
        guard let first = elements.first, let last = elements.popLast() else { return nil }
        if !elements.isEmpty {
            elements[0] = last
            siftDown(from: 0)
        }
        return first
    }

    /// Drops every element that is no longer meant. O(n).
    mutating func keep(where isMeant: (Element) -> Bool) {
        elements.removeAll { !isMeant($0) }
        for index in stride(from: elements.count / 2 - 1, through: 0, by: -1) { siftDown(from: index) }
    }

    private mutating func siftUp(from start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            if elements[parent].key <= elements[child].key { return }
            elements.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown(from start: Int) {
        var parent = start
        while true {
            var smallest = parent
            let left = 2 * parent + 1
            for child in left..<min(left + 2, max(left, elements.count))
            where elements[child].key < elements[smallest].key {
                smallest = child
            }
            if smallest == parent { return }
            elements.swapAt(parent, smallest)
            parent = smallest
        }
    }
}
