package dev.holdfast;

import dev.holdfast.access.Access;
import dev.holdfast.access.FirstTokenStore;
import dev.holdfast.ca.Ca;
import dev.holdfast.commands.Commands;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.config.DataFolderStore;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.database.EmbeddedPostgresStore;
import dev.holdfast.detection.Detection;
import dev.holdfast.est.EstEndpoint;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.identity.Identity;
import dev.holdfast.ingest.Ingest;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.CheckpointKey;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalExporter;
import dev.holdfast.mqtt.MqttEndpoint;
import dev.holdfast.notify.Channels;
import dev.holdfast.operator.MessageRate;
import dev.holdfast.operator.OperatorEndpoint;
import dev.holdfast.operator.RefusalLog;
import dev.holdfast.operator.Rooms;
import dev.holdfast.pki.PkiEndpoint;
import dev.holdfast.response.Response;
import dev.holdfast.rollout.HealthSource;
import dev.holdfast.rollout.Rollouts;
import dev.holdfast.segmentation.Segmentation;
import dev.holdfast.sessions.CutReason;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.DevicePlane;
import dev.holdfast.tls.DeviceTls;
import dev.holdfast.updates.UpdatesEndpoint;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One running Holdfast node: plain constructor calls in dependency order, closed in the reverse order.
public final class Server implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Server.class);

    private static final long LARGEST_ARTIFACT = 4L << 30;

    private final Deque<Closing> closings = new ArrayDeque<>();
    private final Sessions sessions;
    private final Journal journal;
    private final Freeze freeze;
    private final JournalExporter exporter;
    private final Inventory inventory;
    private final Commands commands;
    private final Telemetry telemetry;
    private final DevicePlane plane;
    private final PkiEndpoint pki;
    private final Ca ca;
    private final Identity identity;
    private final DeviceTls deviceTls;
    private final DeviceListener deviceListener;
    private final Detection detection;
    private final Response response;
    private final Channels channels;
    private final Firmware firmware;
    private final Rollouts rollouts;
    private final UpdatesEndpoint updates;
    private final MqttEndpoint mqtt;
    private final Access access;
    private final OperatorEndpoint operator;
    private final Ingest ingest;

    private record Closing(String what, AutoCloseable part) {}

    /// Starts every listener; returns when all are ready.
    ///
    /// @throws ConfigurationException when something the operator can mend is wrong
    public static Server start(Configuration configuration, Path data, InstantSource clock, SecureRandom random)
            throws ConfigurationException, IOException {
        return new Server(configuration, data, clock, random);
    }

    private Server(Configuration configuration, Path data, InstantSource clock, SecureRandom random)
            throws ConfigurationException, IOException {
        try {
            DataFolderStore folder = opened("data folder", DataFolderStore.open(data));
            Database database = opened(
                    "database",
                    Database.open(
                            address(configuration, folder, random),
                            configuration.database().connections()));
            journal = opened("journal", Journal.open(database, clock));
            freeze = Freeze.open(database, journal);
            inventory = new Inventory(database, journal);
            sessions = new Sessions();
            commands = new Commands(database, journal, clock);
            telemetry = opened("telemetry", new Telemetry(database, journal, clock, Telemetry.Settings.defaults()));

            plane = opened("device plane", new DevicePlane(configuration.limits(), clock));
            Configuration.Listener pkiAddress = configuration.listeners().pki();
            pki = opened(
                    "PKI listener", PkiEndpoint.listen(plane.vertx(), pkiAddress, plane.vertxPort(pkiAddress.port())));
            ca = Ca.open(database, journal, folder, configuration, pkiUrl(configuration, pki.port()), random, clock);
            Environment environment = new Environment(configuration.environment());
            identity = new Identity(database, journal, inventory, sessions, ca, freeze, environment, random);
            deviceTls = new DeviceTls(ca, identity.manufacturers()::certificates, configuration, clock);
            deviceListener = opened("device HTTPS", new DeviceListener(plane, deviceTls, configuration));
            detection = opened("detection", new Detection(database, journal, inventory, telemetry, clock));
            firmware = new Firmware(database, journal, inventory, folder.privateFolder("artifacts"), LARGEST_ARTIFACT);
            rollouts = opened(
                    "rollouts",
                    new Rollouts(
                            database,
                            journal,
                            inventory,
                            firmware,
                            this::health,
                            freeze,
                            nodeName(folder, random),
                            clock,
                            System::nanoTime,
                            configuration.switches().rolloutGate()));
            updates = opened(
                    "updates",
                    new UpdatesEndpoint(
                            rollouts,
                            firmware,
                            identity,
                            inventory,
                            sessions,
                            telemetry,
                            database,
                            journal,
                            new Environment(configuration.environment()),
                            () -> deviceUrl(configuration, deviceListener.port()),
                            clock));
            updates.mount(deviceListener.router());
            Segmentation segmentation = opened(
                    "segmentation",
                    new Segmentation(
                            database,
                            journal,
                            inventory,
                            commands,
                            telemetry,
                            () -> healing(configuration, deviceListener.port(), mqttPort(), pki.port())));
            response = opened(
                    "response",
                    new Response(
                            database,
                            journal,
                            inventory,
                            sessions,
                            identity,
                            detection,
                            segmentation,
                            configuration.switches().automaticIsolation(),
                            clock));
            channels = opened(
                    "notifications", new Channels(database, journal, plane.vertx(), configuration, random, clock));
            ingest = new Ingest(plane, deviceTls, configuration, identity, inventory, sessions, telemetry, clock);
            ingest.mount(deviceListener);
            mqtt = new MqttEndpoint(
                    plane,
                    deviceTls,
                    configuration,
                    identity,
                    inventory,
                    sessions,
                    telemetry,
                    commands,
                    journal,
                    clock);
            MessageRate messageRate = new MessageRate(clock);
            telemetry.subscribe(messageRate);
            RefusalLog refusals = new RefusalLog();
            telemetry.subscribe(refusals);
            access = new Access(database, journal, clock, random, new Environment(configuration.environment()));

            // Rooms that follow the journal have subscribed by here; what they hold in memory is read after.
            journal.startTail();
            inventory.load();
            // After a restore: what was taken away after the backup is taken away again before anything listens.
            freeze.merge(List.of(inventory::replay, ca.issuance()::replay));
            Path export = configuration.journalExport() == null
                    ? folder.resolve("journal-export")
                    : Path.of(configuration.journalExport());
            CheckpointKey checkpoints = CheckpointKey.decode(folder.secret(
                    "journal-checkpoint-key",
                    () -> CheckpointKey.generate(random).encoded()));
            exporter = opened(
                    "journal export",
                    JournalExporter.start(journal, database, freeze, export, checkpoints, clock, random));
            detection.start();
            telemetry.alsoFlush("contacts", inventory::flushContacts);
            telemetry.alsoFlush("delivered commands", commands::flush);
            telemetry.start();
            segmentation.start();
            response.start();
            channels.start();
            rollouts.start();

            identity.enrolment().finishInterrupted();
            identity.enrolment()
                    .onFailure((device, cause, remote) -> telemetry.accept(
                            new Observation.AuthenticationFailure(device, clock.instant(), "EST: " + cause, remote)));
            pki.serve(ca);
            new EstEndpoint(identity, ca, clock).mount(deviceListener.router());
            deviceListener.listen();
            mqtt.listen();
            ingest.listen();
            if (configuration.access().firstToken()) {
                FirstTokenStore.ensure(access, folder);
            }
            operator = opened(
                    "operator plane",
                    OperatorEndpoint.start(
                            OperatorEndpoint.Settings.of(configuration),
                            new Rooms(
                                    configuration,
                                    folder.root(),
                                    clock,
                                    database,
                                    journal,
                                    freeze,
                                    access,
                                    inventory,
                                    sessions,
                                    telemetry,
                                    commands,
                                    ca,
                                    identity,
                                    detection,
                                    response,
                                    firmware,
                                    rollouts,
                                    channels,
                                    plane.failures(),
                                    refusals,
                                    messageRate,
                                    () -> listeners(configuration),
                                    () -> deviceUrl(configuration, deviceListener.port()) + "/.well-known/est")));
        } catch (ConfigurationException | IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private Database.Address address(Configuration configuration, DataFolderStore folder, SecureRandom random)
            throws IOException {
        Configuration.DatabaseSettings settings = configuration.database();
        if (settings.url() != null) {
            String password = settings.passwordFile() == null
                    ? ""
                    : Files.readString(Path.of(settings.passwordFile())).strip();
            return new Database.Address(
                    settings.url(), settings.user() == null ? "holdfast" : settings.user(), password);
        }
        Path binaries =
                settings.binaries() == null ? folder.resolve("postgres-programs") : Path.of(settings.binaries());
        return opened(
                        "embedded PostgreSQL",
                        EmbeddedPostgresStore.start(
                                folder.resolve("postgres"), binaries, folder.passwordFor("postgres-password", random)))
                .address();
    }

    /// What URLs that devices are given begin with.
    private static String deviceUrl(Configuration configuration, int port) {
        String configured = configuration.publicBaseUrls().device();
        if (configured != null) {
            return configured.replaceAll("/+$", "");
        }
        String host = configuration.publicHostName();
        return "https://" + (host == null ? "localhost" : host) + ":" + port;
    }

    /// This node's name among those that share the database: kept with its data folder.
    private static String nodeName(DataFolderStore folder, SecureRandom random) throws IOException {
        byte @Nullable [] known = folder.readSecret("node-name");
        if (known != null) {
            return new String(known, StandardCharsets.US_ASCII);
        }
        byte[] fresh = new byte[9];
        random.nextBytes(fresh);
        String name = Base64.getUrlEncoder().withoutPadding().encodeToString(fresh);
        folder.writeSecret("node-name", name.getBytes(StandardCharsets.US_ASCII));
        return name;
    }

    /// What telemetry and detection say of a device, as a rollout judges it.
    private HealthSource.Health health(DeviceRef device, Instant since) {
        return new HealthSource.Health(
                detection.lastHealthyMeasurement(device),
                Optional.empty(), // telemetry outside its band or history is a finding
                detection
                        .newFindingSince(device, since)
                        .map(f -> f.cause().name() + ": expected " + f.expected() + ", seen " + f.seen()));
    }

    /// What URLs in certificates begin with.
    private static String pkiUrl(Configuration configuration, int port) {
        String configured = configuration.publicBaseUrls().pki();
        if (configured != null) {
            return configured.replaceAll("/+$", "");
        }
        String host = configuration.publicHostName();
        return "http://" + (host == null ? "localhost" : host) + ":" + port;
    }

    /// What a quarantined device may still reach, as `ip:port`.
    private static List<String> healing(Configuration configuration, int device, int mqtt, int pki) {
        String host = configuration.publicHostName() == null ? "127.0.0.1" : configuration.publicHostName();
        List<String> reachable = new ArrayList<>();
        try {
            for (InetAddress address : InetAddress.getAllByName(host)) {
                for (int port : new int[] {device, mqtt, pki}) {
                    reachable.add(address.getHostAddress() + ":" + port);
                }
            }
        } catch (UnknownHostException e) {
            LOG.warn("{} has no address: quarantined devices can't be let through to it by gateways", host);
        }
        return reachable;
    }

    private <T extends AutoCloseable> T opened(String what, T part) {
        closings.push(new Closing(what, part));
        return part;
    }

    /// The listeners and what they are for, a line each, for the person who started the server.
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        lines.add("device HTTPS   https://localhost:" + deviceListener.port() + " (EST, updates)");
        lines.add("PKI            http://localhost:" + pki.port() + " (OCSP, CRL, CA certificates)");
        lines.add("root CA        SHA-256 " + deviceTls.rootFingerprint());
        lines.add("console, API   " + operator.url());
        lines.addAll(operator.welcome());
        return lines;
    }

    public Ca ca() {
        return ca;
    }

    public Identity identity() {
        return identity;
    }

    public DevicePlane plane() {
        return plane;
    }

    public DeviceTls deviceTls() {
        return deviceTls;
    }

    /// The port of the device HTTPS listener, as bound.
    public int devicePort() {
        return deviceListener.port();
    }

    /// The port of OCSP and CRLs, as bound.
    public int pkiPort() {
        return pki.port();
    }

    public Firmware firmware() {
        return firmware;
    }

    public Rollouts rollouts() {
        return rollouts;
    }

    public UpdatesEndpoint updates() {
        return updates;
    }

    private List<Rooms.ListenerStatus> listeners(Configuration configuration) {
        Configuration.Listeners settings = configuration.listeners();
        String host = configuration.publicHostName() == null ? "localhost" : configuration.publicHostName();
        return List.of(
                new Rooms.ListenerStatus(
                        "device",
                        settings.device().host(),
                        deviceListener.port(),
                        true,
                        deviceUrl(configuration, deviceListener.port())),
                new Rooms.ListenerStatus(
                        "mqtt", settings.mqtt().host(), mqtt.port(), true, "mqtts://" + host + ":" + mqtt.port()),
                new Rooms.ListenerStatus(
                        "pki", settings.pki().host(), pki.port(), false, pkiUrl(configuration, pki.port())));
    }

    public OperatorEndpoint operator() {
        return operator;
    }

    public Access access() {
        return access;
    }

    public Journal journal() {
        return journal;
    }

    public JournalExporter exporter() {
        return exporter;
    }

    public Freeze freeze() {
        return freeze;
    }

    public Inventory inventory() {
        return inventory;
    }

    public Sessions sessions() {
        return sessions;
    }

    public Commands commands() {
        return commands;
    }

    public Detection detection() {
        return detection;
    }

    public Response response() {
        return response;
    }

    /// The port of the MQTT listener.
    public int mqttPort() {
        return mqtt.port();
    }

    public Ingest ingest() {
        return ingest;
    }

    public Channels channels() {
        return channels;
    }

    public Telemetry telemetry() {
        return telemetry;
    }

    /// Ends the sessions, then closes every part in the reverse order of its opening.
    @Override
    public void close() {
        if (sessions != null) {
            sessions.cutAll(CutReason.SERVER_STOPPING);
            try {
                if (!sessions.awaitNone(Duration.ofSeconds(5))) {
                    LOG.warn("some sessions did not end in time");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        while (!closings.isEmpty()) {
            Closing closing = closings.pop();
            try {
                closing.part().close();
            } catch (Exception e) {
                LOG.error("closing the {} failed", closing.what(), e);
            }
        }
    }
}
