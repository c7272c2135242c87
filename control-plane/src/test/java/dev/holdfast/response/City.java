package dev.holdfast.response;

import dev.holdfast.ca.Ca;
import dev.holdfast.commands.Commands;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.config.DataFolderStore;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.detection.Detection;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.segmentation.Segmentation;
import dev.holdfast.sessions.Session;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.telemetry.Telemetry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/// The rooms that respond, over a real database, as the server puts them together.
final class City implements AutoCloseable {
    static final Environment ENVIRONMENT = new Environment("development");
    static final Actor OPERATOR = new Actor.Operator("o-1");
    static final ModelId METER = new ModelId("meter");

    final Database database;
    final InstantSource clock;
    final Journal journal;
    final Inventory inventory;
    final Sessions sessions = new Sessions();
    final Commands commands;
    final Identity identity;
    final Telemetry telemetry;
    final Detection detection;
    final Segmentation segmentation;
    final Response response;
    private static final Map<String, Path> FOLDERS = new ConcurrentHashMap<>();
    private final Deque<AutoCloseable> closings = new ArrayDeque<>();

    City(Database database, InstantSource clock, boolean automatic) {
        this.database = database;
        this.clock = clock;
        journal = Journal.open(database, clock);
        closings.push(journal);
        inventory = new Inventory(database, journal);
        commands = new Commands(database, journal, clock);
        telemetry = new Telemetry(database, journal, clock, Telemetry.Settings.defaults());
        closings.push(telemetry);
        try {
            DataFolderStore folder = DataFolderStore.open(folderOf(database));
            closings.push(folder);
            Ca ca = Ca.open(
                    database,
                    journal,
                    folder,
                    Configuration.defaults(),
                    dev.holdfast.keys.KeyPassphrase.NONE,
                    "http://localhost:1",
                    new SecureRandom(),
                    clock);
            identity = new Identity(
                    database,
                    journal,
                    inventory,
                    sessions,
                    ca,
                    Freeze.open(database, journal),
                    ENVIRONMENT,
                    Configuration.defaults().limits().databaseSilence(),
                    clock,
                    new SecureRandom(),
                    new byte[32]);
        } catch (IOException | ConfigurationException e) {
            throw new IllegalStateException(e);
        }
        detection = new Detection(database, journal, inventory, telemetry, "node-1", () -> false, clock);
        closings.push(detection);
        segmentation =
                new Segmentation(database, journal, inventory, commands, telemetry, () -> List.of("127.0.0.1:8443"));
        closings.push(segmentation);
        response = new Response(
                database, journal, inventory, sessions, identity, detection, segmentation, automatic, clock);
        closings.push(response);
        journal.startTail();
        inventory.load();
    }

    /// A server that starts again on its database finds its keys again.
    private static Path folderOf(Database database) {
        return FOLDERS.computeIfAbsent(database.address().url(), _ -> {
            try {
                return Files.createTempDirectory("holdfast-city");
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
    }

    City start() {
        detection.start();
        telemetry.start();
        segmentation.start();
        response.start();
        return this;
    }

    City withMeters(int count) {
        inventory.putModel(
                new Model(
                        ENVIRONMENT,
                        METER,
                        "Acme",
                        "hw-1",
                        Duration.ofMinutes(15),
                        Map.of("kwh", new Model.Band(0, 100, "kWh")),
                        List.of(new Model.AllowedFlow("10.0.0.0/24", "tcp", 8883)),
                        Map.of()),
                OPERATOR);
        for (int i = 1; i <= count; i++) {
            meter(i, Map.of("site", "s" + i % 4), Optional.empty());
        }
        return this;
    }

    DeviceRef meter(int number, Map<String, String> labels, Optional<DeviceId> via) {
        DeviceRef ref = DeviceRef.of(ENVIRONMENT.value(), "m-" + number);
        inventory.register(new Inventory.Registration(ref, METER, new Labels(labels), via, Lifecycle.ACTIVE), OPERATOR);
        await(() -> inventory.directory().find(ref).isPresent());
        return ref;
    }

    DeviceRef ref(int number) {
        return DeviceRef.of(ENVIRONMENT.value(), "m-" + number);
    }

    Session connect(DeviceRef device) {
        return sessions.register(
                device, new Serial("77"), Instant.MAX, "mqtt", "127.0.0.1:1", clock.instant(), _ -> {});
    }

    /// Traffic to somewhere else than the model allows, as a gateway saw it.
    void flows(DeviceRef device, int count, Provenance provenance) {
        for (int i = 0; i < count; i++) {
            Instant now = clock.instant();
            telemetry.accept(new Observation.Flow(
                    device,
                    now,
                    provenance,
                    DeviceRef.of(ENVIRONMENT.value(), "gw-1"),
                    now,
                    now,
                    "203.0.113.9",
                    4444,
                    "tcp",
                    1200,
                    9));
        }
    }

    Lifecycle state(DeviceRef device) {
        return inventory.find(device).orElseThrow().state();
    }

    List<Response.Case> open(DeviceRef device) {
        return response.incidents(ENVIRONMENT, true, Optional.of(device), Long.MAX_VALUE, 100);
    }

    static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("what was waited for did not happen in 20 s");
            }
            java.util.concurrent.locks.LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        while (!closings.isEmpty()) {
            try {
                closings.pop().close();
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
