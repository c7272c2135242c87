package dev.holdfast.response;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.detection.Finding;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Risk;
import dev.holdfast.telemetry.Provenance;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Whatever happens in whatever order, these hold.
class PlaybookPropertyTest {
    private static final Instant START = Instant.parse("2026-03-02T00:00:00Z");
    private Random random = new Random();

    @BeforeEach
    void seed() {
        long seed = Long.getLong("holdfast.seed", System.nanoTime() & 0xffffff);
        System.out.println("seed " + seed);
        random = new Random(seed);
    }

    private <T> T any(T[] values) {
        return values[random.nextInt(values.length)];
    }

    private Finding finding(int devices) {
        Instant at = START.plusSeconds(random.nextInt(100_000));
        return new Finding(
                DeviceRef.of("development", "m-" + random.nextInt(devices)),
                any(Finding.Cause.values()),
                any(Finding.Severity.values()),
                any(Provenance.values()),
                random.nextDouble(),
                at.minusSeconds(random.nextInt(1_000)),
                at,
                "expected",
                "seen");
    }

    private Device device(DeviceRef ref) {
        return new Device(
                ref,
                new ModelId("meter"),
                Labels.NONE,
                any(Lifecycle.values()),
                START,
                "because",
                Optional.empty(),
                Optional.empty(),
                START,
                Optional.empty(),
                Optional.empty(),
                Risk.UNKNOWN,
                Optional.empty());
    }

    @Test
    void thereIsAtMostOneOpenIncidentForADeviceAndFamilyWithBoundedEvidenceThatKeepsWhatMatters() {
        for (int round = 0; round < 30; round++) {
            List<Incident> incidents = new ArrayList<>();
            Map<IncidentId, Integer> counted = new java.util.HashMap<>();
            Set<IncidentId> actionable = new HashSet<>();
            long next = 1;
            for (int i = 0; i < 300; i++) {
                Finding f = finding(3);
                List<Incident> open = incidents.stream()
                        .filter(inc -> inc.isOpen() && inc.subject().equals(new Incident.Subject.OfDevice(f.device())))
                        .toList();
                Correlation.Correlated result = Correlation.apply(open, f);
                Incident now = result.incident();
                if (result.kind() == Correlation.Correlated.Kind.OPENED) {
                    now = now.numbered(new IncidentId(next++));
                    incidents.add(now);
                } else {
                    Incident changed = now;
                    incidents.replaceAll(old -> old.id().equals(changed.id()) ? changed : old);
                }
                counted.merge(now.id(), 1, Integer::sum);
                if (now.evidence().stream().anyMatch(Correlation::isActionable)) {
                    actionable.add(now.id());
                }
                if (random.nextInt(50) == 0) {
                    Incident closing = now;
                    incidents.replaceAll(old -> old.id().equals(closing.id())
                            ? old.closed(new Incident.Handling(START, "operator:x", "done"))
                            : old);
                }
                Set<String> keys = new HashSet<>();
                for (Incident incident : incidents) {
                    if (incident.isOpen()) {
                        assertThat(keys.add(incident.subject().text() + incident.family()))
                                .isTrue();
                    }
                    assertThat(incident.evidence()).hasSizeLessThanOrEqualTo(Incident.MOST_EVIDENCE);
                    assertThat(incident.findings()).isEqualTo(counted.get(incident.id()));
                    assertThat(incident.evidence().stream().anyMatch(Correlation::isActionable))
                            .as("what may be acted upon is never dropped")
                            .isEqualTo(actionable.contains(incident.id()));
                    assertThat(incident.evidence())
                            .allSatisfy(e -> assertThat(e.severity()).isLessThanOrEqualTo(incident.severity()));
                }
            }
        }
    }

    @Test
    void nothingIsIsolatedOnAClaimOrAgainstAnyRestraint() {
        int isolated = 0;
        int waited = 0;
        for (int i = 0; i < 20_000; i++) {
            Finding f = finding(1);
            Incident incident = Correlation.apply(List.of(), f).incident();
            Device device = device(f.device());
            Limits limits = new Limits(random.nextDouble() * 0.05, random.nextInt(60), Duration.ofHours(1));
            BlastRadius radius = new BlastRadius(
                    limits,
                    1 + random.nextInt(5),
                    random.nextInt(5_000),
                    random.nextInt(60),
                    random.nextBoolean()
                            ? Optional.empty()
                            : Optional.of(new BlastRadius.Site("s", random.nextInt(500), random.nextInt(10))),
                    random.nextInt(4) == 0 ? Optional.of("listed") : Optional.empty(),
                    random.nextInt(4) == 0,
                    random.nextInt(4) == 0
                            ? Optional.of(START.minusSeconds(random.nextInt(200_000)))
                            : Optional.empty());
            for (Step step : Playbook.plan(incident, device, radius, START)) {
                assertThat(f.provenance()).isNotEqualTo(Provenance.CLAIMED);
                assertThat(f.severity()).isGreaterThanOrEqualTo(Finding.Severity.HIGH);
                switch (step) {
                    case Step.AwaitApproval w -> {
                        waited++;
                        assertThat(w.waitsBecause()).isNotBlank();
                    }
                    case Step.Quarantine _, Step.Suspend _ -> {
                        isolated++;
                        assertThat(radius.switchedOff()).isFalse();
                        assertThat(radius.exempt()).isEmpty();
                        assertThat(radius.isolated() + radius.weight())
                                .isLessThanOrEqualTo(limits.allowance(radius.population()));
                        radius.site()
                                .ifPresent(site -> assertThat(site.isolated() + radius.weight())
                                        .isLessThanOrEqualTo(limits.allowance(site.population())));
                        assertThat(device.state()
                                        .mayBecome(
                                                step instanceof Step.Suspend
                                                        ? Lifecycle.SUSPENDED
                                                        : Lifecycle.QUARANTINED))
                                .isTrue();
                    }
                }
            }
        }
        assertThat(isolated).isPositive();
        assertThat(waited).isPositive();
    }

    @Test
    void theAllowanceIsOnePercentOrFiftyWhicheverIsLessAndAtLeastOne() {
        assertThat(Limits.DEFAULT.allowance(0)).isEqualTo(1);
        assertThat(Limits.DEFAULT.allowance(80)).isEqualTo(1);
        assertThat(Limits.DEFAULT.allowance(299)).isEqualTo(2);
        assertThat(Limits.DEFAULT.allowance(2_000)).isEqualTo(20);
        assertThat(Limits.DEFAULT.allowance(1_000_000)).isEqualTo(50);
        assertThat(new Limits(0.5, 0, Duration.ofHours(1)).allowance(1_000)).isZero();
    }
}
