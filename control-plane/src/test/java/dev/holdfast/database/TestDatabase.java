package dev.holdfast.database;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// The real database for tests: one embedded PostgreSQL for the whole test process, a fresh database for each
/// caller.
public final class TestDatabase {
    private static final AtomicInteger COUNT = new AtomicInteger();
    private static @Nullable EmbeddedPostgresStore server;

    private TestDatabase() {}

    /// An empty, migrated database of the caller's own.
    public static Database fresh() {
        return Database.open(freshAddress(), 8);
    }

    /// The address of an empty database, not migrated yet.
    public static synchronized Database.Address freshAddress() {
        Database.Address main = server().address();
        String name = "t" + COUNT.incrementAndGet();
        try (Connection connection = DriverManager.getConnection(main.url(), main.user(), main.password());
                var statement = connection.createStatement()) {
            statement.execute("create database " + name);
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
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

    private static void stop(EmbeddedPostgresStore started, Path folder) {
        try {
            started.close();
            new ProcessBuilder("rm", "-rf", folder.toString()).start().waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
