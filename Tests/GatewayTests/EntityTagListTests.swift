import Catalog
import Testing

@testable import Gateway

struct EntityTagListTests {
    @Test(arguments: [
        (["\"a\""], [EntityTag(opaque: "a")]),
        (["W/\"a\""], [EntityTag(isWeak: true, opaque: "a")]),
        (["\"\""], [EntityTag(opaque: "")]),
        (["\"a\", \"b\""], [EntityTag(opaque: "a"), EntityTag(opaque: "b")]),
        ([" ,, \"a\" ,\t\"b,c\" ,"], [EntityTag(opaque: "a"), EntityTag(opaque: "b,c")]),
        (["\"a\"", "W/\"b\""], [EntityTag(opaque: "a"), EntityTag(isWeak: true, opaque: "b")]),
    ])
    func `a list is read`(_ values: [String], _ tags: [EntityTag]) {
        #expect(EntityTagList(values) == .tags(tags))
    }

    @Test(arguments: [["*"], [" * "]])
    func `a star is any tag`(_ values: [String]) {
        #expect(EntityTagList(values) == .any)
    }

    @Test(arguments: [
        [""], [","], ["a"], ["\"a"], ["a\""], ["\"a\" \"b\""], ["w/\"a\""], ["W/ \"a\""], ["*, \"a\""], ["\"a\", *"],
        ["\"a b\""], ["\"a\"b"], ["'a'"], ["\"\u{7f}\""],
    ])
    func `what is malformed is refused`(_ values: [String]) {
        #expect(EntityTagList(values) == nil)
    }

    @Test func `tags name a version of their own log only`() {
        let tags = VersionTag(incarnation: "0a1b2c3d")
        #expect(tags.text(7) == "\"0a1b2c3d-7\"")
        #expect(tags.version(EntityTag(opaque: "0a1b2c3d-7")) == 7)
        for other in ["0a1b2c3e-7", "0a1b2c3d-", "0a1b2c3d-07", "0a1b2c3d-0", "0a1b2c3d--7", "7", ""] {
            #expect(tags.version(EntityTag(opaque: other)) == nil, "\(other)")
        }
    }

    @Test func `If-Match compares strongly and If-None-Match weakly`() {
        let tags = VersionTag(incarnation: "0a1b2c3d")
        let list = EntityTagList(["W/\"0a1b2c3d-7\", \"0a1b2c3d-8\", \"other\""])
        #expect(tags.precondition(list) == .versions([8]))
        #expect(tags.isNamed(7, in: list))
        #expect(tags.isNamed(8, in: list))
        #expect(!tags.isNamed(9, in: list))
        #expect(tags.precondition(.any) == .exists)
        #expect(tags.precondition(nil) == .none)
        #expect(tags.precondition(.tags([EntityTag(opaque: "other")])) == .versions([]))
    }
}
