// swift-tools-version: 6.2
import PackageDescription

// One-way imports: a target may import only what stands in its own `dependencies`
// (the build runs with `--explicit-target-dependency-import-check error`).
// docs/architecture.md draws the same arrows.

let package = Package(
    name: "rastro",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "rastro", targets: ["rastro"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
    ],
    targets: [
        // The only places that touch C.
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "LibPQ", dependencies: ["CLibPQ", .log]),

        // The pure domain: no I/O, no clock, no logger.
        .target(name: "Catalog"),

        // PostgreSQL of our own, for the default without a DATABASE_URL and for tests.
        .target(name: "EmbeddedPostgres", dependencies: ["LibPQ", .log, .serviceLifecycle]),

        // What is counted and how it is shown: the one list of metrics. Pure.
        .target(name: "Monitoring"),

        .target(
            name: "EventLog",
            dependencies: ["Monitoring", "Catalog", "LibPQ", .crypto, .log, .serviceLifecycle],
            plugins: ["EmbedSQL"]
        ),
        // The SQS wire protocol and AWS signatures: pure.
        .target(name: "SQSProtocol", dependencies: ["Catalog", .crypto]),
        // A client for NATS JetStream.
        .target(name: "JetStream", dependencies: ["Catalog", .nioCore, .nioPosix, .nioSSL, .crypto, .log]),

        .target(
            name: "Delivery",
            dependencies: [
                "SQSProtocol", "JetStream", "EventLog", "Monitoring", "Catalog", "LibPQ",
                .asyncHTTPClient, .nioCore, .nioHTTP1, .nioPosix, .crypto, .log, .serviceLifecycle,
            ],
            plugins: ["EmbedSQL"]
        ),
        .target(
            name: "Audit",
            dependencies: ["EventLog", "Catalog", "LibPQ", .crypto, .log],
            plugins: ["EmbedSQL"]
        ),
        .target(
            name: "Gateway",
            dependencies: [
                "Audit", "Delivery", "SQSProtocol", "EventLog", "Monitoring", "Catalog", "LibPQ", .asyncHTTPClient,
                .hummingbird, .hummingbirdCore, .httpTypes, .nioCore, .nioHTTP1, .nioPosix, .crypto, .log,
                .serviceLifecycle,
            ]
        ),
        .executableTarget(
            name: "rastro",
            dependencies: [
                "Gateway", "Audit", "Delivery", "SQSProtocol", "EventLog", "Catalog", "LibPQ", "EmbeddedPostgres",
                .argumentParser, .log, .nioCore, .nioPosix, .serviceLifecycle, .unixSignals,
            ]
        ),

        // SQL files become Swift at build time.
        .executableTarget(name: "SQLEmbedder"),
        .plugin(name: "EmbedSQL", capability: .buildTool(), dependencies: ["SQLEmbedder"], path: "Sources/EmbedSQL"),

        // Tests mirror the modules. `TestSupport` starts the throw-away cluster.
        .target(name: "TestSupport", dependencies: ["EmbeddedPostgres", "LibPQ", .log], path: "Tests/TestSupport"),
        .testTarget(name: "CatalogTests", dependencies: ["Catalog"]),
        .testTarget(name: "MonitoringTests", dependencies: ["Monitoring"]),
        .testTarget(name: "EmbeddedPostgresTests", dependencies: ["EmbeddedPostgres", "TestSupport", .log]),
        .testTarget(name: "LibPQTests", dependencies: ["LibPQ", "TestSupport", "EmbeddedPostgres", .log]),
        .testTarget(
            name: "EventLogTests",
            dependencies: [
                "EventLog", "Catalog", "LibPQ", "EmbeddedPostgres", "TestSupport", .log, .serviceLifecycle,
            ]
        ),
        .testTarget(name: "SQSProtocolTests", dependencies: ["SQSProtocol", "Catalog"]),
        .testTarget(
            name: "JetStreamTests",
            dependencies: [
                "JetStream", "Catalog", "EmbeddedPostgres", "TestSupport", .nioCore, .nioPosix, .nioSSL, .log,
            ]
        ),
        .testTarget(
            name: "DeliveryTests",
            dependencies: [
                "Delivery", "SQSProtocol", "JetStream", .asyncHTTPClient, .crypto, .nioCore, .nioHTTP1, "EventLog",
                "Monitoring",
                "Catalog", "LibPQ",
                "EmbeddedPostgres", "TestSupport", .log, .serviceLifecycle,
            ]
        ),
        .testTarget(
            name: "AuditTests",
            dependencies: [
                "Audit", "EventLog", "Catalog", "LibPQ", "EmbeddedPostgres", "TestSupport", .log, .serviceLifecycle,
            ]
        ),
        .testTarget(
            name: "GatewayTests",
            dependencies: [
                "Gateway", "Audit", "Delivery", "SQSProtocol", "EventLog", "Monitoring", "Catalog", "LibPQ",
                "EmbeddedPostgres", "TestSupport",
                .hummingbird, .hummingbirdTesting, .httpTypes, .log, .serviceLifecycle,
            ]
        ),
        .testTarget(
            name: "RastroTests",
            dependencies: ["rastro", "EventLog", "Catalog", "LibPQ", "EmbeddedPostgres", "TestSupport", .log]
        ),
        .testTarget(name: "TidyTests"),
    ]
)

extension Target.Dependency {
    static var asyncHTTPClient: Self { .product(name: "AsyncHTTPClient", package: "async-http-client") }
    static var argumentParser: Self { .product(name: "ArgumentParser", package: "swift-argument-parser") }
    static var crypto: Self { .product(name: "Crypto", package: "swift-crypto") }
    static var httpTypes: Self { .product(name: "HTTPTypes", package: "swift-http-types") }
    static var hummingbird: Self { .product(name: "Hummingbird", package: "hummingbird") }
    static var hummingbirdCore: Self { .product(name: "HummingbirdCore", package: "hummingbird") }
    static var hummingbirdTesting: Self { .product(name: "HummingbirdTesting", package: "hummingbird") }
    static var log: Self { .product(name: "Logging", package: "swift-log") }
    static var nioCore: Self { .product(name: "NIOCore", package: "swift-nio") }
    static var nioHTTP1: Self { .product(name: "NIOHTTP1", package: "swift-nio") }
    static var nioPosix: Self { .product(name: "NIOPosix", package: "swift-nio") }
    static var nioSSL: Self { .product(name: "NIOSSL", package: "swift-nio-ssl") }
    static var unixSignals: Self { .product(name: "UnixSignals", package: "swift-service-lifecycle") }
    static var serviceLifecycle: Self { .product(name: "ServiceLifecycle", package: "swift-service-lifecycle") }
}

// Settings for all targets, written once.
for target in package.targets where target.type != .system && target.type != .plugin {
    target.swiftSettings = [
        .swiftLanguageMode(.v6),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .treatAllWarnings(as: .error),
    ]
}
