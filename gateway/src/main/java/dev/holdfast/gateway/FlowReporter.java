package dev.holdfast.gateway;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.agent.DeviceHttpClient;
import dev.holdfast.agent.WholeAnswer;
import io.netty.channel.EventLoop;
import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// Reports flows to the server: every second, and at once when a device talks to somebody new (though not more than
/// five times a second, whatever a scan brings).
///
/// One report at a time. What the server did not take is sent again; flows of addresses that are nobody's are kept
/// for a while, since the list of members may be on its way.
public final class FlowReporter {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int MOST_PER_REPORT = 500;
    private static final Duration INTERVAL = Duration.ofSeconds(1);
    private static final Duration AT_ONCE = Duration.ofMillis(2);
    private static final long APART_NANOS = Duration.ofMillis(200).toNanos();
    private static final Duration PATIENCE = Duration.ofMinutes(1);

    private final EventLoop loop;
    private final InstantSource clock;
    private final FlowBook book;
    private final BiConsumer<DeviceHttpClient.Request, DeviceHttpClient.Receiver> exchange;
    private final Consumer<String> log;
    private final AtomicBoolean soon = new AtomicBoolean();
    private final AtomicLong reported = new AtomicLong();
    private volatile Map<String, String> members = Map.of();
    private volatile long lastReport = System.nanoTime() - APART_NANOS;
    private boolean busy;
    private boolean again;

    /// @param exchange sends over the gateway's own authenticated connection
    public FlowReporter(
            EventLoop loop,
            InstantSource clock,
            BiConsumer<DeviceHttpClient.Request, DeviceHttpClient.Receiver> exchange,
            Consumer<String> log) {
        this.loop = loop;
        this.clock = clock;
        this.book = new FlowBook();
        this.exchange = exchange;
        this.log = log;
        loop.scheduleAtFixedRate(this::report, INTERVAL.toMillis(), INTERVAL.toMillis(), TimeUnit.MILLISECONDS)
                .addListener(_ -> {});
    }

    public void members(Map<String, String> now) {
        members = Map.copyOf(now);
    }

    public long reported() {
        return reported.get();
    }

    public long lost() {
        return book.lost();
    }

    /// From any thread.
    public void seen(Flow flow) {
        boolean unfamiliar = book.add(flow);
        if (unfamiliar && soon.compareAndSet(false, true)) {
            long wait = Math.max(AT_ONCE.toNanos(), lastReport + APART_NANOS - System.nanoTime());
            loop.schedule(this::report, wait, TimeUnit.NANOSECONDS).addListener(_ -> {});
        }
    }

    private void report() {
        soon.set(false);
        if (busy) {
            again = true;
            return;
        }
        List<Flow> ours = new ArrayList<>();
        Instant tooOld = clock.instant().minus(PATIENCE);
        List<Flow> taken = book.take(MOST_PER_REPORT);
        for (Flow flow : taken) {
            if (members.containsKey(flow.source())) {
                ours.add(flow);
            } else if (flow.start().isAfter(tooOld)) {
                book.add(flow);
            }
        }
        if (ours.isEmpty()) {
            return;
        }
        busy = true;
        lastReport = System.nanoTime();
        again = taken.size() == MOST_PER_REPORT;
        exchange.accept(
                DeviceHttpClient.Request.send(HttpMethod.POST, "/ingest/v1/flows", "application/json", body(ours)),
                new WholeAnswer(16_384, result -> loop.execute(() -> concluded(ours, result))));
    }

    private void concluded(List<Flow> sent, WholeAnswer.Result result) {
        busy = false;
        switch (result) {
            case WholeAnswer.Result.Answer answer when answer.ok() -> reported.addAndGet(sent.size());
            case WholeAnswer.Result.Answer answer
            when answer.status() < 500 && answer.status() != 429 ->
                log.accept("the server refuses " + sent.size() + " flows: " + answer.status());
            case WholeAnswer.Result.Answer answer -> keep(sent, "the server answered " + answer.status());
            case WholeAnswer.Result.Failed failed -> keep(sent, failed.reason());
        }
        if (again) {
            again = false;
            report();
        }
    }

    private void keep(List<Flow> flows, String why) {
        log.accept("flows wait: " + why);
        again = false;
        flows.forEach(book::add);
    }

    private byte[] body(List<Flow> flows) {
        ObjectNode root = JSON.createObjectNode().put("v", 1);
        ArrayNode list = root.putArray("flows");
        Map<String, String> names = members;
        for (Flow flow : flows) {
            list.addObject()
                    .put("device", names.getOrDefault(flow.source(), ""))
                    .put("start", flow.start().truncatedTo(ChronoUnit.MILLIS).toString())
                    .put("end", flow.end().truncatedTo(ChronoUnit.MILLIS).toString())
                    .put("destination", flow.destination())
                    .put("port", flow.port())
                    .put("protocol", flow.protocol())
                    .put("octets", flow.octets())
                    .put("packets", flow.packets());
        }
        try {
            return JSON.writeValueAsBytes(root);
        } catch (IOException e) {
            throw new IllegalStateException("a tree that can't be written", e);
        }
    }
}
