package dev.holdfast.agent;

import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.InputStream;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One device's agent: enrols, connects, reports, obeys, updates itself, and comes back from a power cut at any point.
///
/// Everything happens on one event loop, so there are no locks: a real machine gives it a loop of its own, a city
/// shares few loops among many agents. The agent does not know which of the two it lives in.
public final class Agent {
    private static final Duration RENEWAL_CHECK = Duration.ofSeconds(1);
    private static final Duration RENEWAL_RETRY = Duration.ofMinutes(1);

    private final AgentSettings settings;
    private final DeviceStore store;
    private final Platform platform;
    private final EventLoop loop;
    private final InstantSource clock;
    private final Watcher watcher;
    private final Bootloader bootloader;
    private final Updater updater;
    private final Enroller enroller;

    private final Life life;

    private Bootloader.@Nullable Booted booted;
    private @Nullable DeviceIdentity identity;
    private @Nullable SslContext tls;
    private @Nullable DeviceMqttClient mqtt;
    private @Nullable DeviceHttpClient https;
    private @Nullable UpdatePoller poller;
    private boolean bootTold;
    private boolean renewing;
    private Instant renewNotBefore = Instant.MIN;

    /// Told what the agent does; on its event loop.
    @FunctionalInterface
    public interface Watcher {
        void noted(String event, String detail);
    }

    public Agent(
            AgentSettings settings,
            DeviceStore store,
            Platform platform,
            EventLoop loop,
            InstantSource clock,
            SecureRandom random,
            Watcher watcher) {
        this.settings = settings;
        this.store = store;
        this.platform = platform;
        this.loop = loop;
        this.clock = clock;
        this.watcher = watcher;
        this.bootloader = new Bootloader(store, settings.hardware(), settings.releaseKeys());
        this.updater = new Updater(store, settings.hardware(), settings.releaseKeys(), bootloader);
        this.life = new Life(loop, random, settings.pace().retryMost());
        this.enroller = new Enroller(settings, store, loop, clock, random);
    }

    /// Puts the first firmware on a device that has none, as its maker does.
    public static void manufacture(DeviceStore store, String version, byte[] image) throws IOException {
        Bootloader.manufacture(store, version, image);
    }

    /// Switches the device on.
    public void start() {
        loop.execute(this::powerOn);
    }

    /// Switches it off, without warning, as a power cut does; [#start] is what comes after.
    public CompletableFuture<Void> cutPower() {
        CompletableFuture<Void> off = new CompletableFuture<>();
        loop.execute(() -> {
            dark();
            off.complete(null);
        });
        return off;
    }

    /// The identity in use; for whoever stands beside the device with a screwdriver.
    public CompletableFuture<Optional<DeviceIdentity>> identity() {
        CompletableFuture<Optional<DeviceIdentity>> asked = new CompletableFuture<>();
        loop.execute(() -> asked.complete(Optional.ofNullable(identity)));
        return asked;
    }

    /// An exchange over the device's own HTTPS connection, for what else runs on it.
    public void exchange(DeviceHttpClient.Request request, DeviceHttpClient.Receiver receiver) {
        loop.execute(() -> {
            DeviceHttpClient open = https;
            if (open == null) {
                receiver.failed("the device is not online");
            } else {
                open.send(request, receiver);
            }
        });
    }

    /// The bootloader chooses, the firmware starts, and then the agent in it.
    private void powerOn() {
        dark();
        try {
            Bootloader.Booted now = bootloader.boot();
            booted = now;
            bootTold = false;
            Optional<String> crash;
            try (InputStream image = store.openSlot(now.slot())) {
                crash = platform.start(now.version(), image);
            }
            if (crash.isPresent()) {
                watcher.noted("crash", now.version() + ": " + crash.get());
                life.later(settings.pace().reboot(), this::powerOn);
                return;
            }
            watcher.noted("boot", now.version() + " in slot " + now.slot() + (now.onTrial() ? ", on trial" : ""));
            if (now.onTrial()) {
                life.later(settings.pace().trial(), this::trialOver);
            }
            applyAgain();
            identity = enroller.stored();
            if (identity == null) {
                enrol();
            } else {
                online();
            }
            life.later(RENEWAL_CHECK, this::renewWhenDue);
        } catch (Bootloader.UnbootableException e) {
            watcher.noted("unbootable", String.valueOf(e.getMessage()));
        } catch (IOException e) {
            storeFailed(e);
        }
    }

    /// What was desired before the restart is in force again before anything is said or heard.
    private void applyAgain() throws IOException {
        AgentConfiguration before = AgentConfiguration.read(store);
        if (before.revision() > 0) {
            Map<String, String> inForce = platform.apply(before.revision(), before.desired());
            new AgentConfiguration(before.revision(), before.desired(), inForce).write(store);
        }
    }

    /// Nothing of this life goes on.
    private void dark() {
        life.end();
        DeviceMqttClient session = mqtt;
        mqtt = null;
        if (session != null) {
            session.close();
        }
        closeHttps();
        renewing = false;
    }

    private void closeHttps() {
        DeviceHttpClient open = https;
        https = null;
        poller = null;
        if (open != null) {
            open.close();
        }
    }

    private void reboot(String why) {
        watcher.noted("reboot", why);
        dark();
        life.later(settings.pace().reboot(), this::powerOn);
    }

    private void storeFailed(IOException failure) {
        watcher.noted("store-failed", String.valueOf(failure.getMessage()));
        dark();
    }

    private void trialOver() {
        Bootloader.Booted now = booted;
        try {
            if (now != null
                    && now.onTrial()
                    && updater.outcome().isPresent()
                    && updater.outcome().get().verdict() == BootRecord.Verdict.TRYING) {
                reboot("the firmware on trial was not confirmed in time");
            }
        } catch (IOException e) {
            storeFailed(e);
        }
    }

    private void enrol() {
        if (settings.credential().isEmpty()) {
            watcher.noted("not-enrolled", "no certificate yet, and no token or manufacturer certificate to get one");
            return;
        }
        int mine = life.number();
        try {
            enroller.enrol(settings.credential().get(), result -> {
                if (life.is(mine)) {
                    enrolled(result);
                }
            });
        } catch (IOException e) {
            storeFailed(e);
        }
    }

    private void enrolled(Enroller.Result result) {
        switch (result) {
            case Enroller.Result.Issued issued -> {
                identity = issued.identity();
                watcher.noted("enrolled", serial(issued.identity()));
                online();
            }
            case Enroller.Result.Later wait -> {
                watcher.noted("enrolment-waits", wait.why());
                life.retry(wait.after(), this::enrol);
            }
            case Enroller.Result.Refused refused -> {
                watcher.noted("enrolment-refused", refused.reason());
                life.retry(settings.pace().retryMost(), this::enrol);
            }
        }
    }

    private void online() {
        DeviceIdentity own = identity;
        if (own == null) {
            return;
        }
        SslContext context = DeviceTls.context(Optional.of(own), settings.anchors(), clock);
        tls = context;
        closeHttps();
        DeviceHttpClient client = new DeviceHttpClient(
                loop,
                settings.route(),
                settings.https(),
                context,
                settings.pace().timeout(),
                settings.pace().idleHttps());
        https = client;
        UpdatePoller rounds = new UpdatePoller(
                settings, updater, client, Messages.attributes(settings.hardware(), booted), new Rounds(life.number()));
        poller = rounds;
        life.later(life.jittered(settings.pace().firstPoll()), () -> {
            if (poller == rounds) {
                rounds.round();
            }
        });
        connect();
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
                            watcher.noted("disconnected", reason);
                            life.retry(settings.pace().retry(), Agent.this::connect);
                        }
                    }
                });
        self[0] = session;
        mqtt = session;
    }

    private void connected() {
        life.succeeded();
        watcher.noted("connected", settings.mqtt().toString());
        DeviceMqttClient session = mqtt;
        if (session == null) {
            return;
        }
        platform.connected((topic, payload) -> session.publish(topic, payload, () -> {}));
        try {
            tellBoot(session);
            tellConfiguration(session, AgentConfiguration.read(store));
        } catch (IOException e) {
            storeFailed(e);
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
                reboot("self-test failed: " + fault.get());
                return;
            }
            bootloader.confirm(now);
            watcher.noted("confirmed", now.version());
            UpdatePoller rounds = poller;
            if (rounds != null) {
                life.later(settings.pace().firstPoll(), () -> {
                    if (poller == rounds) {
                        rounds.round();
                    }
                });
            }
        } catch (IOException e) {
            storeFailed(e);
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
                watcher.noted("bad-command", "not desired state with a revision");
                return;
            }
            long revision = command.get().revision();
            AgentConfiguration before = AgentConfiguration.read(store);
            if (revision < before.revision()) {
                return;
            }
            Map<String, String> inForce = platform.apply(revision, command.get().desired());
            AgentConfiguration after =
                    new AgentConfiguration(revision, command.get().desired(), inForce);
            if (!after.equals(before)) {
                after.write(store);
            }
            watcher.noted("applied", "revision " + revision);
            DeviceMqttClient session = mqtt;
            if (session != null) {
                tellConfiguration(session, after);
            }
        } catch (IOException e) {
            storeFailed(e);
        }
    }

    private void tellConfiguration(DeviceMqttClient session, AgentConfiguration configuration) {
        session.publish(topic("config"), AgentJson.bytes(configuration.report()), () -> {});
    }

    /// At two thirds of its life a certificate is renewed, with a new key; then everything reconnects with it.
    private void renewWhenDue() {
        life.later(RENEWAL_CHECK, this::renewWhenDue);
        DeviceIdentity own = identity;
        Instant now = clock.instant();
        if (own == null || renewing || now.isBefore(own.renewAt()) || now.isBefore(renewNotBefore)) {
            return;
        }
        renewing = true;
        int mine = life.number();
        try {
            enroller.renew(own, result -> {
                if (life.is(mine)) {
                    renewing = false;
                    renewed(result);
                }
            });
        } catch (IOException e) {
            storeFailed(e);
        }
    }

    private void renewed(Enroller.Result result) {
        switch (result) {
            case Enroller.Result.Issued issued -> {
                identity = issued.identity();
                watcher.noted("renewed", serial(issued.identity()));
                DeviceMqttClient session = mqtt;
                mqtt = null;
                if (session != null) {
                    session.close();
                }
                online();
            }
            case Enroller.Result.Later wait -> {
                watcher.noted("renewal-waits", wait.why());
                renewNotBefore = clock.instant().plus(wait.after());
            }
            case Enroller.Result.Refused refused -> {
                watcher.noted("renewal-refused", refused.reason());
                renewNotBefore = clock.instant().plus(RENEWAL_RETRY);
            }
        }
    }

    private String topic(String kind) {
        return "d/" + settings.deviceId() + "/" + kind;
    }

    private static String serial(DeviceIdentity identity) {
        return "certificate " + identity.certificate().getSerialNumber().toString(16);
    }

    private final class Rounds implements UpdatePoller.Rounds {
        private final int mine;

        Rounds(int mine) {
            this.mine = mine;
        }

        @Override
        public void again(Duration after) {
            UpdatePoller rounds = poller;
            if (life.is(mine) && rounds != null) {
                life.later(life.jittered(after), () -> {
                    if (poller == rounds) {
                        rounds.round();
                    }
                });
            }
        }

        @Override
        public void reboot(String why) {
            if (life.is(mine)) {
                Agent.this.reboot(why);
            }
        }

        @Override
        public void noted(String event, String detail) {
            watcher.noted(event, detail);
        }

        @Override
        public void storeFailed(IOException failure) {
            if (life.is(mine)) {
                Agent.this.storeFailed(failure);
            }
        }
    }
}
