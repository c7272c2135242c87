package dev.holdfast;

import dev.holdfast.acme.Acme;
import dev.holdfast.acme.AcmeEndpoint;
import dev.holdfast.api.Rooms.ListenerStatus;
import dev.holdfast.attestation.AttestationEndpoint;
import dev.holdfast.cmp.CmpEndpoint;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.est.EstEndpoint;
import dev.holdfast.ingest.Ingest;
import dev.holdfast.mqtt.MqttEndpoint;
import dev.holdfast.pki.PkiEndpoint;
import dev.holdfast.protocol.cms.KeyEnvelope;
import dev.holdfast.scep.RegistrationAuthority;
import dev.holdfast.scep.Scep;
import dev.holdfast.scep.ScepEndpoint;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.DevicePlane;
import dev.holdfast.tls.DeviceTls;
import dev.holdfast.tls.HandshakeFailure;
import dev.holdfast.updates.UpdatesEndpoint;
import java.io.IOException;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;

/// The device plane: every listener that a device may reach, on event loops of its own. It shares no listener,
/// trust store or credential with the operators' side.
final class DeviceSide {
    private final Configuration.Listeners settings;
    private final Addresses addresses;
    private final PkiEndpoint pki;
    private final InstantSource clock;
    final DeviceTls tls;
    final UpdatesEndpoint updates;
    final Ingest ingest;
    final CmpEndpoint cmp;
    final Acme acme;
    private final DeviceListener https;
    private final DeviceListener channelBound;
    private final MqttEndpoint mqtt;

    /// @param pki bound already: certificates name its port
    DeviceSide(Ground ground, FleetRooms rooms, DevicePlane plane, PkiEndpoint pki, Addresses addresses, Parts parts)
            throws ConfigurationException, IOException {
        Configuration configuration = ground.configuration;
        this.settings = configuration.listeners();
        this.addresses = addresses;
        this.pki = pki;
        this.clock = ground.clock;
        tls = new DeviceTls(
                rooms.ca,
                rooms.identity.manufacturers()::certificates,
                rooms.identity.claims()::isClaim,
                configuration,
                ground.clock);
        tls.onUnknownCertificate(rooms.sight::sawUnknown);
        plane.failures().onFailure(failure -> {
            rooms.failedAttempts.handshakeFailed(
                    failure.at(),
                    failure.cause().name(),
                    failure.detail(),
                    failure.subject(),
                    failure.serial(),
                    failure.remoteAddress());
            if (failure.cause() == HandshakeFailure.Cause.SIGNATURE_WRONG) {
                rooms.sight.sawForged(failure.subject(), failure.remoteAddress());
            }
        });
        rooms.rollover.rollovers().onMoved(tls::renewWhenDue);
        rooms.ca.ownRoot().onInstalled(tls::renewWhenDue);
        https = parts.opened("device HTTPS", new DeviceListener(plane, tls, configuration));
        channelBound = parts.opened("channel-bound HTTPS", DeviceListener.channelBound(plane, tls, configuration));
        updates = parts.opened(
                "updates",
                new UpdatesEndpoint(
                        rooms.rollouts,
                        rooms.firmware,
                        rooms.identity,
                        rooms.inventory,
                        rooms.sessions,
                        rooms.telemetry,
                        ground.database,
                        ground.journal,
                        new Environment(configuration.environment()),
                        this::url,
                        ground.clock));
        updates.mount(https.router());
        Environment environment = new Environment(configuration.environment());
        acme = acme(ground, rooms, plane, configuration);
        new AcmeEndpoint(acme, rooms.ca.profiles(), environment, this::url).mount(https.router());
        EstEndpoint est = new EstEndpoint(
                rooms.identity,
                rooms.ca,
                environment,
                () -> new KeyEnvelope.Signer(
                        tls.credential().key(), tls.credential().chain()),
                leaf -> rooms.rollover.fetched(Serial.of(leaf.getSerialNumber())),
                ground.clock,
                ground.random);
        est.mount(https.router());
        est.mount(channelBound.router());
        cmp = new CmpEndpoint(
                ground.journal,
                rooms.identity,
                rooms.ca,
                rooms.revocation,
                tls,
                new Environment(configuration.environment()),
                ground.clock,
                ground.random);
        cmp.mount(https.router());
        new AttestationEndpoint(rooms.attestation, rooms.identity, ground.clock).mount(https.router());
        if (configuration.scep().enabled()) {
            new ScepEndpoint(
                            new Scep(
                                    ground.database,
                                    rooms.identity,
                                    rooms.ca,
                                    new RegistrationAuthority(rooms.ca, ground.folder, ground.clock, ground.random),
                                    environment,
                                    ground.installationSecret(),
                                    ground.clock,
                                    ground.random),
                            rooms.ca.profiles(),
                            environment)
                    .mount(pki.router());
        }
        ingest = new Ingest(
                plane,
                tls,
                configuration,
                rooms.identity,
                rooms.inventory,
                rooms.sessions,
                rooms.telemetry,
                ground.clock);
        ingest.mount(https);
        mqtt = new MqttEndpoint(
                plane,
                tls,
                configuration,
                rooms.identity,
                rooms.inventory,
                rooms.sessions,
                rooms.telemetry,
                rooms.commands,
                ground.journal,
                ground.clock);
    }

    private Acme acme(Ground ground, FleetRooms rooms, DevicePlane plane, Configuration configuration)
            throws ConfigurationException, IOException {
        try {
            return new Acme(
                    ground.database,
                    ground.journal,
                    rooms.identity,
                    rooms.inventory,
                    rooms.ca,
                    configuration,
                    plane.vertx(),
                    ground.clock,
                    ground.random,
                    ground.installationSecret(),
                    Map.of(),
                    rooms.renewals::renewAt);
        } catch (IllegalArgumentException e) {
            throw new ConfigurationException("configuration: " + e.getMessage(), e);
        }
    }

    /// Opens every listener; the rooms behind them must have started.
    void listen(FleetRooms rooms) throws IOException {
        pki.serve(rooms.ca, rooms.revocation, rooms.timeStamping, clock);
        https.listen();
        channelBound.listen();
        cmp.start(https.vertx());
        mqtt.listen();
        ingest.listen();
    }

    int httpsPort() {
        return https.port();
    }

    int channelBoundPort() {
        return channelBound.port();
    }

    int mqttPort() {
        return mqtt.port();
    }

    int pkiPort() {
        return pki.port();
    }

    /// What URLs that devices are given begin with.
    String url() {
        return addresses.deviceUrl(https.port());
    }

    List<String> healing() {
        return addresses.healing(httpsPort(), mqttPort(), pkiPort());
    }

    List<ListenerStatus> listeners() {
        return List.of(
                new ListenerStatus("device", settings.device().host(), httpsPort(), true, url()),
                new ListenerStatus(
                        "channel-bound",
                        settings.channelBound().host(),
                        channelBoundPort(),
                        true,
                        "https://" + addresses.host() + ":" + channelBoundPort()),
                new ListenerStatus(
                        "mqtt",
                        settings.mqtt().host(),
                        mqttPort(),
                        true,
                        "mqtts://" + addresses.host() + ":" + mqttPort()),
                new ListenerStatus("pki", settings.pki().host(), pkiPort(), false, addresses.pkiUrl(pkiPort())));
    }
}
