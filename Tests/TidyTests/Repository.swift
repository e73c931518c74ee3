import Foundation

/// The files of this repository as they lie here.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// What is not tracked, as `.gitignore` names it, and git's own.
    private static func isIgnored(_ name: String) -> Bool {
        [".git", ".rastro", ".swiftpm", "__pycache__", "Package.resolved"].contains(name) || name.hasPrefix(".build")
            || name.hasSuffix(".o")
    }

    /// Paths of all files under `directory`, relative to the root, sorted.
    static func files(under directory: String = "", endingWith ending: String = "") -> [String] {
        let base = directory.isEmpty ? root : root + "/" + directory
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: base) else { return [] }
        return names.filter { !isIgnored($0) }.sorted().flatMap { name -> [String] in
            let path = directory.isEmpty ? name : directory + "/" + name
            var isDirectory: ObjCBool = false
            guard FileManager.default.fileExists(atPath: root + "/" + path, isDirectory: &isDirectory) else {
                return []
            }
            if isDirectory.boolValue { return files(under: path, endingWith: ending) }
            return path.hasSuffix(ending) ? [path] : []
        }
    }

    /// The file's text; nil when it is none.
    static func text(_ path: String) -> String? { try? String(contentsOfFile: root + "/" + path, encoding: .utf8) }

    static func lines(_ path: String) -> [String] {
        (text(path) ?? "").split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
