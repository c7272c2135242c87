package dev.holdfast;

import dev.holdfast.access.Access;
import dev.holdfast.attestation.Attestation;
import dev.holdfast.ca.Ca;
import dev.holdfast.cmp.CmpEndpoint;
import dev.holdfast.commands.Commands;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.detection.Detection;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.identity.Identity;
import dev.holdfast.ingest.Ingest;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.JournalExporter;
import dev.holdfast.notify.Channels;
import dev.holdfast.operator.OperatorEndpoint;
import dev.holdfast.pki.PkiEndpoint;
import dev.holdfast.response.Response;
import dev.holdfast.rollout.Rollouts;
import dev.holdfast.rollover.AuthorityLifecycle;
import dev.holdfast.rotation.Renewals;
import dev.holdfast.sessions.CutReason;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.sight.Sight;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DevicePlane;
import dev.holdfast.tls.DeviceTls;
import dev.holdfast.updates.UpdatesEndpoint;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// One running Holdfast node, composed by plain constructor calls in dependency order: the [Ground], the
/// [FleetRooms] on it, the [DeviceSide] and the [OperatorSide] before them.
public final class Server implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Server.class);

    private final Parts parts = new Parts();
    private final Ground ground;
    private final DevicePlane plane;
    private final FleetRooms rooms;
    private final DeviceSide devices;
    private final OperatorSide operators;
    private final JournalExporter exporter;
    private final OperatorEndpoint operator;

    /// Starts every listener; returns when all are ready.
    ///
    /// @throws ConfigurationException when something the operator can mend is wrong
    public static Server start(Configuration configuration, Path data, InstantSource clock, SecureRandom random)
            throws ConfigurationException, IOException {
        return start(configuration, data, clock, random, _ -> {});
    }

    /// Starts every listener; returns when all are ready.
    ///
    /// @param tell hears, in a line each, what it is doing that takes time
    /// @throws ConfigurationException when something the operator can mend is wrong
    public static Server start(
            Configuration configuration, Path data, InstantSource clock, SecureRandom random, Consumer<String> tell)
            throws ConfigurationException, IOException {
        return new Server(configuration, data, clock, random, tell);
    }

    private Server(
            Configuration configuration, Path data, InstantSource clock, SecureRandom random, Consumer<String> tell)
            throws ConfigurationException, IOException {
        try {
            ground = new Ground(configuration, data, clock, random, parts, tell);
            tell.accept("opening the authorities' keys and the fleet's records");
            Addresses addresses = new Addresses(configuration);
            plane = parts.opened("device plane", new DevicePlane(configuration.limits(), clock));
            PkiEndpoint pki = parts.opened("PKI listener", PkiEndpoint.listen(plane, configuration));
            rooms = new FleetRooms(
                    ground,
                    plane.vertx(),
                    addresses.pkiUrl(pki.port()),
                    () -> devices().healing(),
                    parts);
            devices = new DeviceSide(ground, rooms, plane, pki, addresses, parts);
            operators = new OperatorSide(ground, rooms);

            // Rooms that follow the journal have subscribed by here; what they hold in memory is read after.
            ground.journal.startTail();
            rooms.inventory.load();
            ground.mergeStream(rooms.replayers());
            exporter = ground.export(parts);
            tell.accept("opening the listeners");
            rooms.start(clock);
            devices.listen(rooms);
            operator = operators.listen(rooms, devices, plane, parts);
        } catch (ConfigurationException | IOException | RuntimeException e) {
            close();
            throw e;
        }
    }

    private DeviceSide devices() {
        return devices;
    }

    /// The listeners and what they are for, a line each, for the person who started the server.
    public List<String> describe() {
        List<String> lines = new ArrayList<>();
        lines.add("device HTTPS   https://localhost:" + devicePort() + " (EST, CMP, updates)");
        lines.add("MQTT           localhost:" + mqttPort() + " (mutual TLS)");
        lines.add("PKI            http://localhost:" + pkiPort() + " (OCSP, CRL, CA certificates)");
        lines.add("root CA        SHA-256 " + devices.tls.rootFingerprint());
        lines.add("console, API   " + operator.url());
        lines.addAll(operator.welcome());
        return lines;
    }

    /// The port of the device HTTPS listener, as bound.
    public int devicePort() {
        return devices.httpsPort();
    }

    /// The port of EST on a TLS that binds requests to its channel, as bound.
    public int channelBoundPort() {
        return devices.channelBoundPort();
    }

    /// The port of the MQTT listener.
    public int mqttPort() {
        return devices.mqttPort();
    }

    /// The port of OCSP and CRLs, as bound.
    public int pkiPort() {
        return devices.pkiPort();
    }

    public Journal journal() {
        return ground.journal;
    }

    public Freeze freeze() {
        return ground.freeze;
    }

    public JournalExporter exporter() {
        return exporter;
    }

    public Inventory inventory() {
        return rooms.inventory;
    }

    public Sessions sessions() {
        return rooms.sessions;
    }

    public Commands commands() {
        return rooms.commands;
    }

    public Telemetry telemetry() {
        return rooms.telemetry;
    }

    public Ca ca() {
        return rooms.ca;
    }

    public AuthorityLifecycle rollover() {
        return rooms.rollover;
    }

    public Identity identity() {
        return rooms.identity;
    }

    public Renewals renewals() {
        return rooms.renewals;
    }

    public Sight sight() {
        return rooms.sight;
    }

    public Attestation attestation() {
        return rooms.attestation;
    }

    public Detection detection() {
        return rooms.detection;
    }

    public Response response() {
        return rooms.response;
    }

    public Firmware firmware() {
        return rooms.firmware;
    }

    public Rollouts rollouts() {
        return rooms.rollouts;
    }

    public Channels channels() {
        return rooms.channels;
    }

    public DevicePlane plane() {
        return plane;
    }

    public DeviceTls deviceTls() {
        return devices.tls;
    }

    public UpdatesEndpoint updates() {
        return devices.updates;
    }

    public CmpEndpoint cmp() {
        return devices.cmp;
    }

    public Ingest ingest() {
        return devices.ingest;
    }

    public Access access() {
        return operators.access;
    }

    public OperatorEndpoint operator() {
        return operator;
    }

    /// Ends the sessions, then closes every part in the reverse order of its opening.
    @Override
    public void close() {
        if (rooms != null) {
            rooms.sessions.cutAll(CutReason.SERVER_STOPPING);
            try {
                if (!rooms.sessions.awaitNone(Duration.ofSeconds(5))) {
                    LOG.warn("some sessions did not end in time");
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
        parts.close();
    }
}
