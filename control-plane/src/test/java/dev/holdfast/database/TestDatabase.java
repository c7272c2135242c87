package dev.holdfast.database;

import dev.holdfast.testkit.FaultyLink;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// The real database for tests: one embedded PostgreSQL for the whole test process, a fresh database for each
/// caller.
public final class TestDatabase {
    private static final String TEMPLATE = "migrated";
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static @Nullable EmbeddedPostgresStore server;

    private TestDatabase() {}

    /// An empty, migrated database of the caller's own.
    public static Database fresh() {
        return Database.open(freshAddress(), 8);
    }

    /// The address of an empty, migrated database. Migrated is once for the process; the others are copies.
    public static synchronized Database.Address freshAddress() {
        if (server == null) {
            create(TEMPLATE, "");
            Database.open(address(TEMPLATE), 2).close();
        }
        String name = "t" + COUNT.incrementAndGet();
        create(name, " template " + TEMPLATE);
        return address(name);
    }

    /// A link to where this database is, to be cut and healed.
    public static FaultyLink link(Database.Address direct) {
        URI uri = uri(direct);
        return FaultyLink.to(uri.getHost(), uri.getPort());
    }

    /// The same database at the near end of a link to it.
    public static Database.Address through(FaultyLink link, Database.Address direct) {
        return new Database.Address(
                direct.url().replace(":" + uri(direct).getPort() + "/", ":" + link.port() + "/"),
                direct.user(),
                direct.password());
    }

    private static URI uri(Database.Address address) {
        return URI.create(address.url().substring("jdbc:".length()));
    }

    private static void create(String name, String how) {
        Database.Address main = server().address();
        try (Connection connection = DriverManager.getConnection(main.url(), main.user(), main.password());
                var statement = connection.createStatement()) {
            statement.execute("create database " + name + how);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private static Database.Address address(String name) {
        Database.Address main = server().address();
        return new Database.Address(main.url().replace("/postgres?", "/" + name + "?"), main.user(), main.password());
    }

    /// Where the programs are unpacked, shared by all tests.
    public static Path binaries() {
        return Path.of(
                System.getProperty("java.io.tmpdir"), "holdfast-test-postgres-" + System.getProperty("user.name"));
    }

    private static EmbeddedPostgresStore server() {
        if (server == null) {
            try {
                Path folder = Files.createTempDirectory("holdfast-test-db");
                Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
                Files.createDirectories(binaries());
                Files.setPosixFilePermissions(binaries(), PosixFilePermissions.fromString("rwxr-xr-x"));
                server = EmbeddedPostgresStore.start(folder.resolve("postgres"), binaries(), "test-only");
                EmbeddedPostgresStore started = server;
                Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(started, folder)));
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        return server;
    }

    /// At once (SIGQUIT), because nothing is kept: an ordinary stop writes dozens of databases of hundreds of
    /// files each to the disk before they are deleted, which on a busy machine takes longer than the test
    /// process has to end in. So may the deletion alone (a tenth of a second for a database): it is a process that
    /// nobody waits for.
    private static void stop(EmbeddedPostgresStore started, Path folder) {
        try {
            started.abandon();
            ProcessHandle process = started.process().orElseThrow();
            new ProcessBuilder("kill", "-QUIT", Long.toString(process.pid()))
                    .start()
                    .waitFor();
            process.onExit()
                    .orTimeout(5, TimeUnit.SECONDS)
                    .exceptionally(_ -> {
                        process.destroyForcibly();
                        return process;
                    })
                    .join();
            new ProcessBuilder("rm", "-rf", folder.toString())
                    .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
