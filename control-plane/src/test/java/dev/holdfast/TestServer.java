package dev.holdfast;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Model;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/// The whole server for tests of the edges: free ports, loopback, a data folder of its own that is deleted on
/// close, a
/// fresh database in the test process's PostgreSQL.
public final class TestServer implements AutoCloseable {
    public static final Environment ENVIRONMENT = new Environment("development");
    public static final ModelId MODEL = new ModelId("meter-a");
    public static final Actor TESTER = new Actor.Holdfast("test");

    private final Server server;
    private final Path folder;
    private final Database.Address database;

    private TestServer(Server server, Path folder, Database.Address database) {
        this.server = server;
        this.folder = folder;
        this.database = database;
    }

    public static TestServer start() {
        return start(Map.of());
    }

    /// @param settings as environment variables: `HOLDFAST_LIMITS_SESSIONS` to `100`
    public static TestServer start(Map<String, String> settings) {
        try {
            return start(
                    Files.createTempDirectory("holdfast-test-server"),
                    TestDatabase.freshAddress(),
                    settings,
                    InstantSource.system());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// A server on this folder and database, which may have been used by one before.
    public static TestServer start(
            Path folder, Database.Address database, Map<String, String> settings, InstantSource clock) {
        try {
            Files.createDirectories(folder);
            Path password = folder.resolve("test-database-password");
            Files.writeString(password, database.password());
            Map<String, String> variables = new TreeMap<>(Map.of(
                    "HOLDFAST_DATABASE_URL", database.url(),
                    "HOLDFAST_DATABASE_USER", database.user(),
                    "HOLDFAST_DATABASE_PASSWORD_FILE", password.toString(),
                    "HOLDFAST_DATABASE_CONNECTIONS", "8"));
            for (String listener : List.of("OPERATOR", "DEVICE", "CHANNEL_BOUND", "MQTT", "PKI", "SYSLOG", "IPFIX")) {
                variables.put("HOLDFAST_LISTENERS_" + listener + "_PORT", "0");
                variables.put("HOLDFAST_LISTENERS_" + listener + "_HOST", "127.0.0.1");
            }
            variables.putAll(settings);
            Configuration configuration = Configuration.load(Optional.empty(), variables);
            Server server = Server.start(configuration, folder.resolve("data"), clock, new SecureRandom());
            return new TestServer(server, folder, database);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ConfigurationException e) {
            throw new IllegalStateException(e);
        }
    }

    /// Another node on the same database, with the keys of the certification authorities and the
    /// installation's secret copied as an operator would.
    public TestServer secondNode(Map<String, String> settings) {
        try {
            Path second = Files.createTempDirectory("holdfast-test-server");
            Path keys = second.resolve("data/ca");
            Files.createDirectories(keys);
            try (Stream<Path> files = Files.list(folder.resolve("data/ca"))) {
                for (Path file : files.toList()) {
                    Files.copy(
                            file, keys.resolve(file.getFileName()), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
                }
            }
            Path secret = Path.of("data/secrets/installation-secret");
            Files.createDirectories(second.resolve(secret).getParent());
            Files.copy(
                    folder.resolve(secret), second.resolve(secret), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
            return start(second, database, settings, InstantSource.system());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Whether openssl, which trusts this root alone, gets through to the device listener.
    public boolean connectsTrusting(Path root) {
        return RealClient.of(
                                "openssl",
                                "s_client",
                                "-connect",
                                "localhost:" + server.devicePort(),
                                "-CAfile",
                                root.toString(),
                                "-verify_return_error",
                                "-verify_hostname",
                                "localhost",
                                "-brief")
                        .input("")
                        .run()
                        .exit()
                == 0;
    }

    public Server server() {
        return server;
    }

    /// A folder of the test's own, deleted on close.
    public Path folder() {
        return folder;
    }

    public Database.Address database() {
        return database;
    }

    public static DeviceRef device(String id) {
        return DeviceRef.of(ENVIRONMENT.value(), id);
    }

    /// Registers a device of the test model, and the model where it is missing.
    public DeviceRef register(String id) {
        return register(id, MODEL.value());
    }

    /// Registers a device of this model, and the model where it is missing.
    public DeviceRef register(String id, String model) {
        DeviceRef device = device(id);
        ModelId kind = new ModelId(model);
        if (server.inventory().model(ENVIRONMENT, kind).isEmpty()) {
            server.inventory()
                    .putModel(
                            new Model(
                                    ENVIRONMENT,
                                    kind,
                                    "Test Works",
                                    "hw-1",
                                    Duration.ofMinutes(1),
                                    Map.of(),
                                    List.of(),
                                    Map.of()),
                            TESTER);
        }
        server.inventory().register(new Inventory.Registration(device, kind, Labels.NONE), TESTER);
        return device;
    }

    /// A one-time token for the device, as `user:password` for EST Basic authentication.
    public String credential(DeviceRef device) {
        return switch (server.identity().issueEnrolmentToken(device, Duration.ofHours(1), TESTER)) {
            case dev.holdfast.identity.EnrolmentTokens.Issued.Token token -> device.id() + ":" + token.secret();
            case dev.holdfast.identity.EnrolmentTokens.Issued.UnknownDevice _ ->
                throw new IllegalStateException("no device " + device);
            case dev.holdfast.identity.EnrolmentTokens.Issued.DeviceRetired _ ->
                throw new IllegalStateException("retired " + device);
        };
    }

    /// The root certificate in a PEM file.
    public Path rootPem() {
        try {
            Path file = folder.resolve("root.pem");
            Files.writeString(
                    file, Certificates.pem(server.ca().authorities().root().certificate()));
            return file;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Waits, at most 20 s, until something is so.
    public static void await(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > deadline) {
                throw new AssertionError("not within 20 s: " + what);
            }
            try {
                TimeUnit.MILLISECONDS.sleep(5);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError(e);
            }
        }
    }

    /// Stops the server and keeps the folder, for a test that starts it again.
    public void stop() {
        server.close();
    }

    @Override
    public void close() {
        server.close();
        if (!Files.exists(folder)) {
            return; // another server of the same test had the folder too
        }
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
