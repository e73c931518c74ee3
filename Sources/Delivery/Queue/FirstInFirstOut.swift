/// A list that is filled at its end and emptied from its front, both in amortised O(1).
struct FirstInFirstOut<Element: Sendable>: Sendable {
    private var elements: ContiguousArray<Element> = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { head == elements.count }
    var first: Element? { isEmpty ? nil : elements[head] }

    mutating func append(_ element: Element) { elements.append(element) }

    @discardableResult
    mutating func popFirst() -> Element? {
        guard !isEmpty else { return nil }
        defer { tidy() }
        head += 1
        return elements[head - 1]
    }

    mutating func removeAll() {
        elements.removeAll(keepingCapacity: true)
        head = 0
    }

    /// From the front to the end.
    var inOrder: ContiguousArray<Element>.SubSequence { elements[head...] }

    /// How many pass. O(n).
    func count(where isCounted: (Element) -> Bool) -> Int { elements[head...].count(where: isCounted) }

    private mutating func tidy() {
        if isEmpty {
            removeAll()
        } else if head >= 32 && head * 2 >= elements.count {
            elements.removeFirst(head)
            head = 0
        }
    }
}
