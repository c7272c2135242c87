package dev.holdfast.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What the device says and hears over MQTT: its boot first, then its configuration and its numbers; and what
/// is desired of it, which it puts in force and reports.
final class Conversation {
    /// The setting that names the roots which the device trusts.
    private static final String TRUST = "trust.roots";

    private final AgentSettings settings;
    private final DeviceStore store;
    private final Platform platform;
    private final EventLoop loop;
    private final InstantSource clock;
    private final Life life;
    private final Bootloader bootloader;
    private final Lifeline device;
    private final Runnable confirmed;
    private final Renewals renewals;
    private final RootKeeper roots;
    private @Nullable SslContext tls;
    private @Nullable DeviceMqttClient mqtt;
    private Bootloader.@Nullable Booted booted;
    private boolean bootTold;

    /// Hears when the server wants a certificate renewed.
    @FunctionalInterface
    interface Renewals {
        void advised(String serial, Instant renewAfter);
    }

    /// @param confirmed called when firmware on trial has proven itself
    Conversation(
            AgentSettings settings,
            DeviceStore store,
            Platform platform,
            EventLoop loop,
            InstantSource clock,
            Life life,
            Bootloader bootloader,
            Lifeline device,
            Renewals renewals,
            RootKeeper roots,
            Runnable confirmed) {
        this.settings = settings;
        this.store = store;
        this.platform = platform;
        this.loop = loop;
        this.clock = clock;
        this.life = life;
        this.bootloader = bootloader;
        this.device = device;
        this.confirmed = confirmed;
        this.renewals = renewals;
        this.roots = roots;
    }

    /// The firmware that speaks from now on.
    void booted(Bootloader.Booted now) {
        booted = now;
        bootTold = false;
    }

    void open(SslContext context) {
        close();
        tls = context;
        connect();
    }

    void close() {
        DeviceMqttClient session = mqtt;
        mqtt = null;
        if (session != null) {
            session.close();
        }
    }

    private void connect() {
        SslContext context = tls;
        if (context == null) {
            return;
        }
        int mine = life.number();
        DeviceMqttClient[] self = new DeviceMqttClient[1];
        DeviceMqttClient session = DeviceMqttClient.open(
                loop,
                settings.route(),
                settings.mqtt(),
                context,
                settings.deviceId(),
                settings.pace().mqttKeepAlive(),
                new DeviceMqttClient.Listener() {
                    @Override
                    public void ready() {
                        if (life.is(mine)) {
                            connected();
                        }
                    }

                    @Override
                    public void command(byte[] payload) {
                        if (life.is(mine)) {
                            obey(payload);
                        }
                    }

                    @Override
                    public void closed(String reason) {
                        if (life.is(mine) && (self[0] == null || mqtt == self[0])) {
                            mqtt = null;
                            device.noted("disconnected", reason);
                            life.retry(settings.pace().retry(), Conversation.this::connect);
                        }
                    }
                });
        self[0] = session;
        mqtt = session;
    }

    private void connected() {
        life.succeeded();
        device.noted("connected", settings.mqtt().toString());
        DeviceMqttClient session = mqtt;
        if (session == null) {
            return;
        }
        platform.connected((topic, payload) -> session.publish(topic, payload, () -> {}));
        try {
            tellBoot(session);
            tellConfiguration(session, AgentConfiguration.read(store));
        } catch (IOException e) {
            device.storeFailed(e);
            return;
        }
        // Spread over the interval, so that a city does not speak at once.
        life.later(life.within(settings.telemetry()), () -> measure(session));
    }

    /// The boot is told until the server has it; only then, and with a good self-test, is a trial confirmed.
    private void tellBoot(DeviceMqttClient session) {
        Bootloader.Booted now = booted;
        if (now == null || bootTold) {
            return;
        }
        int mine = life.number();
        session.publish(topic("event"), Messages.boot(now), () -> {
            if (life.is(mine)) {
                bootTold = true;
                confirm(now);
            }
        });
    }

    private void confirm(Bootloader.Booted now) {
        if (!now.onTrial()) {
            return;
        }
        try {
            Optional<String> fault = platform.selfTest();
            if (fault.isPresent()) {
                bootloader.giveUp("self-test: " + fault.get());
                device.reboot("self-test failed: " + fault.get());
                return;
            }
            bootloader.confirm(now);
            device.noted("confirmed", now.version());
            confirmed.run();
        } catch (IOException e) {
            device.storeFailed(e);
        }
    }

    private void measure(DeviceMqttClient session) {
        if (mqtt != session || !session.isReady()) {
            return;
        }
        Map<String, Double> values = platform.measure(clock.instant());
        if (!values.isEmpty()) {
            session.publish(topic("telemetry"), Messages.telemetry(values), () -> {});
        }
        life.later(settings.telemetry(), () -> measure(session));
    }

    private void obey(byte[] payload) {
        try {
            Optional<Messages.Command> command = Messages.command(payload);
            if (command.isEmpty()) {
                device.noted("bad-command", "not desired state with a revision");
                return;
            }
            long revision = command.get().revision();
            AgentConfiguration before = AgentConfiguration.read(store);
            if (revision < before.revision()) {
                return;
            }
            advise(command.get().desired().path("certificate"));
            roots.wanted(command.get().desired().path("trust"));
            Map<String, String> inForce = platform.apply(revision, command.get().desired());
            AgentConfiguration after =
                    new AgentConfiguration(revision, command.get().desired(), inForce);
            if (!after.equals(before)) {
                after.write(store);
            }
            device.noted("applied", "revision " + revision);
            DeviceMqttClient session = mqtt;
            if (session != null) {
                tellConfiguration(session, after);
            }
        } catch (IOException e) {
            device.storeFailed(e);
        }
    }

    /// `{"serial":..., "renewAfter":...}`: when the server wants that certificate renewed.
    private void advise(JsonNode certificate) {
        try {
            if (certificate.isObject()) {
                renewals.advised(
                        certificate.path("serial").asText(),
                        Instant.parse(certificate.path("renewAfter").asText()));
            }
        } catch (DateTimeException e) {
            device.noted("bad-command", "certificate.renewAfter is not a time");
        }
    }

    /// Says again how the device is set up, because it has changed.
    void tellAgain() {
        DeviceMqttClient session = mqtt;
        if (session != null && session.isReady()) {
            try {
                tellConfiguration(session, AgentConfiguration.read(store));
            } catch (IOException e) {
                device.storeFailed(e);
            }
        }
    }

    private void tellConfiguration(DeviceMqttClient session, AgentConfiguration configuration) {
        ObjectNode report = configuration.report();
        report.withObject("/settings").put(TRUST, roots.trusted().fingerprints());
        session.publish(topic("config"), AgentJson.bytes(report), () -> {});
    }

    private String topic(String kind) {
        return "d/" + settings.deviceId() + "/" + kind;
    }
}
