package dev.holdfast.gateway;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.agent.Platform;
import java.io.IOException;
import java.io.InputStream;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/// The gateway as a device: its desired state is its duty, and it reports the last one that is in force everywhere.
final class GatewayPlatform implements Platform {
    private final List<Enforcer> enforcers;
    private final FlowReporter reporter;
    private final Consumer<String> log;
    private long applied;

    GatewayPlatform(List<Enforcer> enforcers, FlowReporter reporter, Consumer<String> log) {
        this.enforcers = List.copyOf(enforcers);
        this.reporter = reporter;
        this.log = log;
    }

    /// Where one enforcer fails the others still act, and the revision is not reported as applied.
    @Override
    public Map<String, String> apply(long revision, JsonNode desired) {
        Duty duty = Duty.read(revision, desired);
        boolean all = true;
        for (Enforcer enforcer : enforcers) {
            try {
                enforcer.enforce(duty);
            } catch (IOException e) {
                all = false;
                log.accept("revision " + revision + " can't be enforced: " + e.getMessage());
            }
        }
        reporter.members(duty.members());
        if (all) {
            applied = revision;
        }
        log.accept("revision " + revision + ": " + duty.members().size() + " members, "
                + duty.isolated().size() + " isolated");
        Map<String, String> settings = new TreeMap<>(Platform.super.apply(revision, desired));
        settings.put("appliedRevision", Long.toString(applied));
        return settings;
    }

    @Override
    public Optional<String> start(String version, InputStream image) {
        return Optional.empty();
    }

    @Override
    public Optional<String> selfTest() {
        return Optional.empty();
    }

    @Override
    public Map<String, Double> measure(Instant now) {
        return Map.of(
                "flows", (double) reporter.reported(),
                "flowsLost", (double) reporter.lost());
    }
}
