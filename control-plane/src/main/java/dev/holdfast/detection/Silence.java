package dev.holdfast.detection;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Spoken;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.detection.Finding.Severity;
import dev.holdfast.telemetry.Provenance;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/// One look over all devices for those that should have been heard.
///
/// Where half of the devices behind a gateway are silent at once, that is one finding about the gateway, not
/// one for each of them. So that their silences fall together, a device is late after three intervals and reported
/// after four. A device that moved to another node is not silent: the inventory's last contact says so.
final class Silence {
    private static final int LATE_AFTER = 3;
    private static final int REPORTED_AFTER = 4;
    private static final int FEWEST_BEHIND_A_GATEWAY = 3;
    private static final Duration GRACE = Duration.ofSeconds(5);

    private final Instant now;
    private final Map<DeviceRef, Behind> gateways = new HashMap<>();
    private final List<Late> alone = new ArrayList<>();

    private static final class Behind {
        int devices;
        final List<Late> late = new ArrayList<>();
    }

    private record Late(DeviceRef device, Duration interval, Duration silence, long heardAt, boolean told) {
        boolean isDue() {
            return !told && silentFor(silence, REPORTED_AFTER);
        }

        boolean silentFor(Duration time, int intervals) {
            return time.compareTo(interval.multipliedBy(intervals).plus(GRACE)) > 0;
        }
    }

    Silence(Instant now) {
        this.now = now;
    }

    /// What a device's shard is to do about it.
    sealed interface Verdict extends Notice {

        /// @param covered the gateway's finding says it already: remembered, not told
        record Silent(DeviceRef device, Duration interval, long heardAt, boolean covered) implements Verdict {
            @Override
            public Assessment assess(Baseline baseline, Instant now) {
                if (baseline.heardAt != heardAt) {
                    return new Assessment(List.of(), baseline); // heard in the meantime
                }
                Detector.Work work = new Detector.Work(device, now, baseline);
                work.raise(
                        Cause.SILENCE,
                        Severity.MEDIUM,
                        Provenance.PROVEN,
                        0.5,
                        heardAt,
                        "to be heard every " + Spoken.duration(interval),
                        "nothing since " + Instant.ofEpochMilli(heardAt));
                Assessment told = work.done();
                return covered ? new Assessment(List.of(), told.next()) : told;
            }
        }

        /// Another node has heard it.
        record HeardElsewhere(DeviceRef device, Instant heardAt) implements Verdict {
            @Override
            public Assessment assess(Baseline baseline, Instant now) {
                Detector.Work work = new Detector.Work(device, heardAt, baseline);
                work.heard();
                return work.done();
            }
        }

        record Gateway(DeviceRef device, int silent, int behind, long since) implements Verdict {
            @Override
            public Assessment assess(Baseline baseline, Instant now) {
                Detector.Work work = new Detector.Work(device, now, baseline);
                work.raise(
                        Cause.SILENCE_BEHIND_GATEWAY,
                        Severity.HIGH,
                        Provenance.PROVEN,
                        (double) silent / behind,
                        since,
                        "the " + behind + " devices behind it to be heard",
                        silent + " of them silent at once");
                return work.done();
            }
        }
    }

    void look(
            DeviceRef device,
            Optional<DeviceId> reachesVia,
            Expectation expectation,
            Baseline baseline,
            Instant watchingSince) {
        Behind behind = reachesVia
                .map(gateway ->
                        gateways.computeIfAbsent(new DeviceRef(device.environment(), gateway), _ -> new Behind()))
                .orElse(null);
        if (behind != null) {
            behind.devices++;
        }
        if (baseline.heardAt == 0) {
            return;
        }
        Instant heard = Instant.ofEpochMilli(baseline.heardAt);
        // What we did not hear while we were not listening was our silence, not the device's.
        Instant from = heard.isBefore(watchingSince) ? watchingSince : heard;
        Duration silence = Duration.between(from, now);
        if (silence.compareTo(expectation.interval.multipliedBy(LATE_AFTER).plus(GRACE)) <= 0) {
            return;
        }
        boolean told = baseline.ongoing.stream().anyMatch(o -> o.cause() == Cause.SILENCE);
        Late late = new Late(device, expectation.interval, silence, baseline.heardAt, told);
        if (behind != null) {
            behind.late.add(late);
        } else {
            alone.add(late);
        }
    }

    /// Those that are late and not told of yet: another node may have heard them.
    List<DeviceRef> doubtful() {
        return Stream.concat(alone.stream(), gateways.values().stream().flatMap(behind -> behind.late.stream()))
                .filter(late -> !late.told())
                .map(Late::device)
                .toList();
    }

    /// Takes those out that were heard by another node since.
    ///
    /// @param contacts the last time that any node heard a device
    /// @return what the shards are to remember of it
    List<Verdict> correct(Map<DeviceRef, Instant> contacts) {
        List<Verdict> heard = new ArrayList<>();
        Predicate<Late> isHeard = late -> {
            Instant contact = contacts.get(late.device());
            if (contact == null || contact.toEpochMilli() <= late.heardAt()) {
                return false;
            }
            heard.add(new Verdict.HeardElsewhere(late.device(), contact));
            return !late.silentFor(Duration.between(contact, now), LATE_AFTER);
        };
        alone.removeIf(isHeard);
        gateways.values().forEach(behind -> behind.late.removeIf(isHeard));
        return heard;
    }

    List<Verdict> verdicts() {
        List<Verdict> verdicts = new ArrayList<>();
        alone.stream().filter(Late::isDue).forEach(late -> verdicts.add(silent(late, false)));
        gateways.forEach((gateway, behind) -> {
            List<Late> due = behind.late.stream().filter(Late::isDue).toList();
            if (due.isEmpty()) {
                return;
            }
            boolean many = behind.late.size() >= FEWEST_BEHIND_A_GATEWAY && behind.late.size() * 2 >= behind.devices;
            if (many) {
                long since = due.stream().mapToLong(Late::heardAt).min().orElseThrow();
                verdicts.add(new Verdict.Gateway(gateway, behind.late.size(), behind.devices, since));
            }
            due.forEach(late -> verdicts.add(silent(late, many)));
        });
        return verdicts;
    }

    private static Verdict silent(Late late, boolean covered) {
        return new Verdict.Silent(late.device(), late.interval(), late.heardAt(), covered);
    }
}
