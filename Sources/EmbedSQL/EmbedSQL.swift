import Foundation
import PackagePlugin

/// Embeds `sql/<Target>/*.sql` (and, for `EventLog`, `migrations/*.sql`) into the target as Swift source.
@main
struct EmbedSQL: BuildToolPlugin {
    func createBuildCommands(context: PluginContext, target: any Target) throws -> [Command] {
        let root = context.package.directoryURL
        let output = context.pluginWorkDirectoryURL.appending(path: "EmbeddedSQL.swift")
        var directories = [root.appending(path: "sql/\(target.name)")]
        if target.name == "EventLog" { directories.append(root.appending(path: "migrations")) }
        let inputs = directories.flatMap { directory in
            ((try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? [])
                .filter { $0.hasSuffix(".sql") }.sorted().map { directory.appending(path: $0) }
        }
        return [
            .buildCommand(
                displayName: "Embedding SQL of \(target.name)",
                executable: try context.tool(named: "SQLEmbedder").url,
                arguments: [output.path] + directories.map(\.path),
                inputFiles: inputs,
                outputFiles: [output]
            )
        ]
    }
}
