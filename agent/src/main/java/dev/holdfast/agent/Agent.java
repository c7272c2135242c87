package dev.holdfast.agent;

import io.netty.channel.EventLoop;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.InputStream;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/// One device's agent: enrols, connects, reports, obeys, updates itself, and comes back from a power cut at any
/// point.
///
/// Everything happens on one event loop, so there are no locks: a real machine gives it a loop of its own, a
/// city shares few loops among many agents. The agent does not know which of the two it lives in.
public final class Agent {
    private final AgentSettings settings;
    private final DeviceStore store;
    private final Platform platform;
    private final EventLoop loop;
    private final Watcher watcher;
    private final Bootloader bootloader;
    private final Updater updater;
    private final Life life;
    private final RootKeeper roots;
    private final ServerTrust trust;
    private final IdentityKeeper identities;
    private final UpdateRounds rounds;
    private final Conversation conversation;

    private Bootloader.@Nullable Booted booted;

    /// Told what the agent does; on its event loop.
    @FunctionalInterface
    public interface Watcher {
        void noted(String event, String detail);
    }

    /// The device itself, as its parts may touch it.
    private final class Own implements Lifeline {
        @Override
        public void reboot(String why) {
            Agent.this.reboot(why);
        }

        @Override
        public void noted(String event, String detail) {
            watcher.noted(event, detail);
        }

        @Override
        public void storeFailed(IOException failure) {
            Agent.this.storeFailed(failure);
        }
    }

    private final class NewRoots implements RootKeeper.Changes {
        @Override
        public void learned() {
            conversation.tellAgain();
        }

        @Override
        public void withdrawn() {
            online(); // connects anew, under what is still trusted, and says so
        }
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
        this.watcher = watcher;
        this.bootloader = new Bootloader(store, settings.hardware(), settings.releaseKeys());
        this.updater = new Updater(store, settings.hardware(), settings.releaseKeys(), bootloader);
        this.life = new Life(loop, random, settings.pace().retryMost());
        Lifeline device = new Own();
        this.roots = new RootKeeper(settings, store, life, clock, device, new NewRoots());
        this.trust = new ServerTrust(roots::trusted, clock);
        this.identities = new IdentityKeeper(
                settings, new Enroller(settings, store, loop, trust, random), life, clock, device, this::online);
        this.rounds = new UpdateRounds(settings, updater, loop, life, device);
        this.conversation = new Conversation(
                settings,
                store,
                platform,
                loop,
                clock,
                life,
                bootloader,
                device,
                identities::advised,
                roots,
                () -> rounds.soon(settings.pace().firstPoll()));
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
        loop.execute(() -> asked.complete(Optional.ofNullable(identities.identity())));
        return asked;
    }

    /// An exchange over the device's own HTTPS connection, for what else runs on it.
    public void exchange(DeviceHttpClient.Request request, DeviceHttpClient.Receiver receiver) {
        loop.execute(() -> rounds.exchange(request, receiver));
    }

    /// The bootloader chooses, the firmware starts, and then the agent in it.
    private void powerOn() {
        dark();
        try {
            Bootloader.Booted now = bootloader.boot();
            booted = now;
            conversation.booted(now);
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
            roots.start();
            identities.start();
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
        conversation.close();
        roots.close();
        rounds.close();
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

    private void online() {
        DeviceIdentity own = identities.identity();
        if (own != null) {
            SslContext context = DeviceTls.context(Optional.of(own), trust);
            roots.open(rounds.open(context, Messages.attributes(settings.hardware(), booted)));
            conversation.open(context);
        }
    }
}
