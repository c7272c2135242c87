package dev.holdfast.ingest;

import dev.holdfast.config.Configuration;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.DevicePlane;
import dev.holdfast.tls.DeviceTls;
import java.io.IOException;
import java.time.InstantSource;

/// The edge for what is told about devices besides MQTT.
public final class Ingest {
    private final DevicePlane plane;
    private final Configuration.Listeners listeners;
    private final FlowsEndpoint flows;
    private final SyslogEndpoint syslog;
    private final IpfixEndpoint ipfix;
    private final IngestCounts counts = new IngestCounts();
    private int syslogPort;
    private int ipfixPort;

    /// Made before the inventory is loaded: it follows the directory.
    public Ingest(
            DevicePlane plane,
            DeviceTls tls,
            Configuration configuration,
            Identity identity,
            Inventory inventory,
            Sessions sessions,
            Telemetry telemetry,
            InstantSource clock) {
        this.plane = plane;
        this.listeners = configuration.listeners();
        this.flows = new FlowsEndpoint(identity, inventory, sessions, telemetry, clock);
        this.syslog = new SyslogEndpoint(
                plane,
                tls,
                new SyslogEndpoint.SyslogRooms(
                        identity,
                        inventory,
                        sessions,
                        telemetry,
                        counts,
                        configuration.limits().requestTimeout(),
                        clock));
        this.ipfix = new IpfixEndpoint(telemetry, new AddressBook(inventory.directory()), clock, counts);
    }

    /// Puts `/ingest/v1/flows` on the device HTTPS listener.
    public void mount(DeviceListener listener) {
        flows.mount(listener.router());
    }

    /// Opens the listeners for syslog and IPFIX.
    ///
    /// @throws IOException when a port can't be bound; the message says which
    public void listen() throws IOException {
        syslogPort = syslog.listen(listeners.syslog());
        ipfixPort = ipfix.listen(plane.vertx(), listeners.ipfix());
    }

    public int syslogPort() {
        return syslogPort;
    }

    public int ipfixPort() {
        return ipfixPort;
    }

    public IngestCounts counts() {
        return counts;
    }
}
