package dev.holdfast.gateway;

import dev.holdfast.agent.Agent;
import dev.holdfast.agent.DeviceHttpClient;
import dev.holdfast.agent.DeviceStore;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A network enforcement point: an enrolled device of its own that sees the traffic of others, reports it, and stops
/// whom the server has isolated.
public final class Gateway implements AutoCloseable {
    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final Consumer<String> log;
    private final Agent agent;
    private @Nullable Relay relay;
    private @Nullable NetflowCollector collector;

    /// @param own the gateway's own life
    /// @param relaying what the devices' bytes pass on
    /// @throws IOException when a part of it can't work here
    public static Gateway start(
            GatewaySettings settings,
            DeviceStore store,
            EventLoop own,
            EventLoopGroup relaying,
            InstantSource clock,
            SecureRandom random,
            Consumer<String> log)
            throws IOException, InterruptedException {
        return new Gateway(settings, store, own, relaying, clock, random, log);
    }

    private Gateway(
            GatewaySettings settings,
            DeviceStore store,
            EventLoop own,
            EventLoopGroup relaying,
            InstantSource clock,
            SecureRandom random,
            Consumer<String> log)
            throws IOException, InterruptedException {
        this.log = log;
        Agent.manufacture(store, "1.0.0", "the image this gateway came with".getBytes(StandardCharsets.UTF_8));
        // The agent and the reporter need each other: the reporter speaks over the agent's connection.
        AtomicReference<@Nullable Agent> late = new AtomicReference<>();
        FlowReporter reporter = new FlowReporter(own, clock, (request, receiver) -> send(late, request, receiver), log);
        List<Enforcer> enforcers = new ArrayList<>();
        try {
            if (settings.relay().isPresent()) {
                Relay opened = Relay.open(relaying, settings.relay().get(), clock, reporter::seen);
                parts.push(opened);
                enforcers.add(opened::enforce);
                relay = opened;
            }
            if (settings.nft()) {
                NftablesEnforcer kernel = NftablesEnforcer.open();
                parts.push(kernel);
                enforcers.add(kernel);
            }
            if (settings.netflow().isPresent()) {
                NetflowCollector opened =
                        NetflowCollector.open(relaying, settings.netflow().getAsInt(), reporter::seen, log);
                parts.push(opened);
                collector = opened;
            }
            settings.softflowd().ifPresent(control -> parts.push(SoftflowdClient.open(control, log)));
        } catch (IOException | RuntimeException e) {
            closeParts();
            throw e;
        }
        this.agent = new Agent(
                settings.agent(),
                store,
                new GatewayPlatform(enforcers, reporter, log),
                own,
                clock,
                random,
                (event, detail) -> log.accept(event + ": " + detail));
        late.set(agent);
        agent.start();
    }

    private static void send(
            AtomicReference<@Nullable Agent> late,
            DeviceHttpClient.Request request,
            DeviceHttpClient.Receiver receiver) {
        Agent known = late.get();
        if (known == null) {
            receiver.failed("not started yet");
        } else {
            known.exchange(request, receiver);
        }
    }

    /// Where the relay listens; 0 when there is none.
    public int relayPort() {
        Relay opened = relay;
        return opened == null ? 0 : opened.port();
    }

    /// Where flows are collected; 0 when they are not.
    public int netflowPort() {
        NetflowCollector opened = collector;
        return opened == null ? 0 : opened.port();
    }

    @Override
    public void close() {
        agent.cutPower().orTimeout(2, TimeUnit.SECONDS).handle((_, _) -> true).join();
        closeParts();
    }

    private void closeParts() {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                log.accept("closing failed: " + e.getMessage());
            }
        }
    }
}
