package dev.holdfast.database;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class EmbeddedPostgresTest {
    private Path folder;

    @BeforeEach
    void makeFolder() throws IOException {
        folder = Files.createTempDirectory("holdfast-pg");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Files.createDirectories(TestDatabase.binaries());
        Files.setPosixFilePermissions(TestDatabase.binaries(), PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    @AfterEach
    void removeFolder() {
        RealClient.of("rm", "-rf", folder.toString()).run().succeeded();
    }

    private EmbeddedPostgresStore start() throws IOException {
        return EmbeddedPostgresStore.start(folder.resolve("postgres"), TestDatabase.binaries(), "test-only");
    }

    private static Connection connect(EmbeddedPostgresStore server) throws SQLException {
        Database.Address address = server.address();
        return DriverManager.getConnection(address.url(), address.user(), address.password());
    }

    private static String value(Connection connection, String sql) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(sql)) {
            rows.next();
            return rows.getString(1);
        }
    }

    private static RunningClient probe(String what, Path where) {
        return RealClient.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        DatabaseProbe.class.getName(),
                        what,
                        where.toString())
                .start();
    }

    @Test
    void isDurableLocalAndClosedToWrongPasswords() throws Exception {
        try (EmbeddedPostgresStore server = start();
                Connection connection = connect(server)) {
            assertThat(value(connection, "show fsync")).isEqualTo("on");
            assertThat(value(connection, "show synchronous_commit")).isEqualTo("on");
            assertThat(value(connection, "show full_page_writes")).isEqualTo("on");
            assertThat(value(connection, "show data_checksums")).isEqualTo("on");
            assertThat(value(connection, "show listen_addresses")).isEqualTo("127.0.0.1");
            assertThat(value(connection, "show unix_socket_directories")).isEmpty();
            Database.Address address = server.address();
            assertThatThrownBy(() -> DriverManager.getConnection(address.url(), address.user(), "wrong"))
                    .isInstanceOf(SQLException.class)
                    .hasMessageContaining("password authentication failed");
            assertThatThrownBy(() -> DriverManager.getConnection(address.url(), "postgres", ""))
                    .isInstanceOf(SQLException.class);
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("postgres/cluster"))))
                .isEqualTo("rwx------");
        assertThat(folder.resolve("postgres/initial-password")).doesNotExist();
    }

    @Test
    void keepsItsDataOverARestartAndStopsWithACheckpoint() throws Exception {
        try (EmbeddedPostgresStore server = start();
                Connection connection = connect(server);
                var statement = connection.createStatement()) {
            statement.execute("create table kept(n int)");
            statement.execute("insert into kept values (42)");
        }
        assertThat(folder.resolve("postgres/cluster/postmaster.pid")).doesNotExist();
        try (EmbeddedPostgresStore server = start();
                Connection connection = connect(server)) {
            assertThat(value(connection, "select n from kept")).isEqualTo("42");
            assertThat(EmbeddedPostgresStore.running(folder.resolve("postgres"), TestDatabase.binaries(), "test-only"))
                    .hasValue(server.address());
        }
        assertThat(EmbeddedPostgresStore.running(folder.resolve("postgres"), TestDatabase.binaries(), "test-only"))
                .isEmpty();
    }

    @Test
    void aFirstStartKilledHalfWayIsBegunAgain() throws Exception {
        Files.createDirectories(folder.resolve("postgres/cluster.new/base"));
        Files.writeString(folder.resolve("postgres/cluster.new/PG_VERSION"), "18\n");
        try (EmbeddedPostgresStore server = start();
                Connection connection = connect(server)) {
            assertThat(value(connection, "select 1")).isEqualTo("1");
        }
    }

    @Test
    void endsWithItsServerThatWasKilledAndStartsAgain() throws Exception {
        long pid;
        try (RunningClient child = probe("hold", folder.resolve("postgres"))) {
            String line = child.awaitLine(l -> l.startsWith("holding pid="), Duration.ofSeconds(90));
            pid = Long.parseLong(line.substring("holding pid=".length()));
            assertThat(ProcessHandle.of(pid)).isPresent();
            child.handle().destroyForcibly(); // the child alone; PostgreSQL must notice by itself
            child.awaitExit(Duration.ofSeconds(20));
            ProcessHandle.of(pid)
                    .ifPresent(postgres -> assertThat(postgres.onExit()).succeedsWithin(Duration.ofSeconds(60)));
        }
        try (EmbeddedPostgresStore server = start();
                Connection connection = connect(server)) {
            assertThat(value(connection, "select 1")).isEqualTo("1");
        }
    }

    /// Killed together with its parent, the postmaster is a zombie until init takes note of it.
    @Test
    void startsWhereTheKilledPostmasterIsStillAZombie() throws Exception {
        try (EmbeddedPostgresStore before = start()) {
            assertThat(before.process()).isPresent();
        }
        Path cluster = folder.resolve("postgres/cluster");
        String owner = Files.getOwner(cluster).getName();
        try (RunningClient parent = RealClient.of(
                        "setpriv",
                        "--reuid=" + owner,
                        "--inh-caps=-all",
                        "bash",
                        "-c",
                        // It ends when its parent is a program that takes no note of it: bash would.
                        "(while read -r name </proc/$$/comm && [ \"$name\" = bash ]; do :; done) & echo $!; exec sleep 5")
                .start()) {
            String zombie = parent.awaitLine(line -> line.matches("[0-9]+"), Duration.ofSeconds(20));
            while (!Files.readString(Path.of("/proc", zombie, "stat")).contains(") Z ")) {
                TimeUnit.MILLISECONDS.sleep(5);
            }
            Files.writeString(cluster.resolve("postmaster.pid"), zombie + "\n" + cluster + "\n0\n5432\n");
            try (EmbeddedPostgresStore server = start();
                    Connection connection = connect(server)) {
                assertThat(value(connection, "select 1")).isEqualTo("1");
            }
        }
    }

    @Test
    void anOrphanLeftByAKilledServerIsFoundAndStopped() throws Exception {
        try (EmbeddedPostgresStore orphan = start();
                Connection connection = connect(orphan);
                var statement = connection.createStatement()) {
            statement.execute("create table kept(n int)");
            ProcessHandle left = orphan.process().orElseThrow();
            // Its keeper must not start it again while the other takes over: that is what a killed server looks like.
            orphan.abandon();
            try (EmbeddedPostgresStore next = start();
                    Connection second = connect(next)) {
                assertThat(left.isAlive()).isFalse();
                assertThat(value(second, "select count(*) from kept")).isEqualTo("0");
            }
        }
    }

    @Test
    void aPidFileThatNamesAnotherProgramHarmsNobody() throws Exception {
        try (EmbeddedPostgresStore server = start()) {
            assertThat(server.process()).isPresent();
        }
        try (RunningClient other = RealClient.of("sleep", "600").start()) {
            Files.writeString(
                    folder.resolve("postgres/cluster/postmaster.pid"),
                    other.pid() + "\n" + folder.resolve("postgres/cluster") + "\n0\n1\n\n\n\n");
            try (EmbeddedPostgresStore server = start();
                    Connection connection = connect(server)) {
                assertThat(value(connection, "select 1")).isEqualTo("1");
            }
            assertThat(other.isAlive()).isTrue();
        }
    }

    @Test
    void killedWhileCommittingItComesBackAndLosesNoAcknowledgedCommit() throws Exception {
        try (EmbeddedPostgresStore server = start()) {
            try (Connection connection = connect(server);
                    var statement = connection.createStatement()) {
                statement.execute("create table kept(n int primary key)");
            }
            Set<Integer> acknowledged = ConcurrentHashMap.newKeySet();
            AtomicInteger next = new AtomicInteger();
            AtomicBoolean stop = new AtomicBoolean();
            try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                for (int i = 0; i < 4; i++) {
                    threads.execute(() -> commitUntil(stop, server, next, acknowledged));
                }
                for (int kill = 0; kill < 3; kill++) {
                    int before = acknowledged.size();
                    awaitMore(acknowledged, before + 200);
                    ProcessHandle postgres = server.process().orElseThrow();
                    postgres.destroyForcibly();
                    postgres.onExit().get(20, TimeUnit.SECONDS);
                }
                awaitMore(acknowledged, acknowledged.size() + 200);
                stop.set(true);
            }
            try (Connection connection = connect(server);
                    var statement = connection.createStatement();
                    var rows = statement.executeQuery("select n from kept")) {
                Set<Integer> lost = ConcurrentHashMap.newKeySet();
                lost.addAll(acknowledged);
                while (rows.next()) {
                    lost.remove(rows.getInt(1));
                }
                assertThat(lost).isEmpty();
            }
        }
    }

    private static void commitUntil(
            AtomicBoolean stop, EmbeddedPostgresStore server, AtomicInteger next, Set<Integer> acknowledged) {
        while (!stop.get()) {
            try (Connection connection = connect(server);
                    var insert = connection.prepareStatement("insert into kept values (?)")) {
                while (!stop.get()) {
                    int n = next.incrementAndGet();
                    insert.setInt(1, n);
                    insert.execute();
                    acknowledged.add(n);
                }
            } catch (SQLException killed) {
                java.util.concurrent.locks.LockSupport.parkNanos(20_000_000);
            }
        }
    }

    private static void awaitMore(Set<Integer> acknowledged, int wanted) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
        while (acknowledged.size() < wanted) {
            assertThat(System.nanoTime()).as("commits go on").isLessThan(deadline);
            TimeUnit.MILLISECONDS.sleep(5);
        }
    }

    /// Only root starts PostgreSQL as another user; anybody else runs it as themselves and needs no passage.
    @Test
    void aFolderThatTheDatabaseUserCannotReachIsAClearError() throws Exception {
        Path closed = Files.createDirectory(
                folder.resolve("closed"),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        if (System.getProperty("user.name").equals("root")) {
            assertThatThrownBy(() -> EmbeddedPostgresStore.start(
                            closed.resolve("data/postgres"), TestDatabase.binaries(), "test-only"))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("can't pass through " + closed)
                    .hasMessageContaining("chmod o+x");
        } else {
            EmbeddedPostgresStore.start(closed.resolve("data/postgres"), TestDatabase.binaries(), "test-only")
                    .close();
        }
    }

    @Test
    void aDamagedClusterIsAClearErrorAndNothingKeepsRunning() throws Exception {
        start().close();
        Files.delete(folder.resolve("postgres/cluster/global/pg_control"));
        assertThatThrownBy(this::start)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("does not start")
                .hasMessageContaining("pg_control");
        assertThat(EmbeddedPostgresStore.running(folder.resolve("postgres"), TestDatabase.binaries(), "test-only"))
                .isEqualTo(Optional.empty());
    }

    /// On a small file system of its own, in a mount namespace that ends with the child.
    @Test
    void aFullDiskIsAClearErrorAndLosesNothing() throws Exception {
        start().close(); // unpacks the programs before
        Path disk = Files.createDirectory(folder.resolve("disk"));
        String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
        String script = "mount -t tmpfs -o size=150m,mode=0711 tmpfs " + disk + " && exec " + java + " -cp '"
                + System.getProperty("java.class.path") + "' " + DatabaseProbe.class.getName() + " fill " + disk
                + "/postgres";
        String[] unshare = System.getProperty("user.name").equals("root")
                ? new String[] {"-m", "bash", "-c", script}
                : new String[] {"-rm", "bash", "-c", script};
        try (RunningClient child = RealClient.of("unshare", unshare).start()) {
            String refused = child.awaitLine(line -> line.startsWith("refused: "), Duration.ofMinutes(2));
            assertThat(refused.length()).isGreaterThan("refused: ".length());
            child.awaitLine("commits again"::equals, Duration.ofSeconds(90));
            assertThat(child.awaitLine(line -> line.startsWith("acknowledged"), Duration.ofSeconds(30)))
                    .endsWith("lost [], fault Optional.empty");
            assertThat(child.awaitExit(Duration.ofSeconds(60))).isZero();
            assertThat(child.lines()).anySatisfy(line -> assertThat(line).contains("No space left on device"));
        }
    }
}
