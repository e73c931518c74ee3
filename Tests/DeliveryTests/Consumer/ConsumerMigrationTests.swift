import EmbeddedPostgres
import LibPQ
import TestSupport
import Testing

@testable import Delivery
@testable import EventLog

/// The built-in consumer's inbox, from before every consumer had one.
struct ConsumerMigrationTests {
    @Test func `what the built-in consumer had applied before the migration is not applied again`() async throws {
        let address = try await TestCluster.shared.createDatabase()
        let session = try Session.open(ConsumerNode.connection(address.ownerConnectionString))
        try session.execute(
            """
            create schema \(Migrator.schema);
            set search_path = \(Migrator.schema), pg_temp;
            create table schema_versions (
                number integer primary key, name text not null, applied_at timestamptz not null default now())
            """
        )
        for migration in Migrations.all where migration.number < 6 {
            try session.execute(
                """
                \(migration.text)
                insert into schema_versions (number, name) values (\(migration.number), '\(migration.name)')
                """
            )
        }
        // Swept through 100; 102 and 105 applied since.
        try session.execute(
            "update activity_swept set through = 100; insert into activity_inbox values (102), (105)"
        )
        try Migrator(session: session, logger: ConsumerNode.logger)
            .migrate(as: Migrator.Origin(partitionSize: 65_536), servingRole: ClusterAddress.servingRole)
        session.close()
        let serving = try Session.open(ConsumerNode.connection(address.servingConnectionString))
        let opened = Parameters().text("activity").int16(QueueReference.productActivity.id)
        let number = try serving.query(Statements.openConsumer, opened).only().int16(0)
        let positions = Parameters().int16(number).int64Array([7, 100, 101, 102, 103, 105])
        #expect(try serving.query(Statements.admitEvents, positions).only().int64Array(0) == [101, 103])
        serving.close()
        try await TestCluster.shared.dropDatabase(address)
    }
}
