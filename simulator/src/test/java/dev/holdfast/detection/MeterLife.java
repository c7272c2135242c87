package dev.holdfast.detection;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.core.SessionOrder;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.simulator.CityPlan;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Observation.SessionActivity.Kind;
import dev.holdfast.telemetry.Observation.Violation.Rule;
import dev.holdfast.telemetry.Provenance;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/// One meter of the city on a virtual clock, minute by minute: what our edges and its gateway would observe of
/// it. Its numbers are those of the demo's meters; its fate is decided by the seed.
final class MeterLife {
    static final Duration INTERVAL = Duration.ofMinutes(5);
    static final Duration SLEEPERS_INTERVAL = Duration.ofHours(6);
    private static final Serial CERTIFICATE = new Serial("77");

    /// What goes wrong with it, and what it should be found by.
    enum Fate {
        CLONED_THROWN_OUT("a clone that throws its original out", Cause.IDENTITY_USED_IN_TWO_PLACES),
        CLONED_BESIDE("a clone beside its original", Cause.IDENTITY_USED_IN_TWO_PLACES),
        OLD_CERTIFICATE("a superseded certificate in other hands", Cause.SUPERSEDED_CERTIFICATE_IN_USE),
        FOREIGN_TOPICS("topics of others", Cause.FORBIDDEN_TOPIC_REPEATED),
        FOREIGN_ACTIONS("actions of others", Cause.FOREIGN_ACTION_REPEATED),
        EXFILTRATES("data sent far away, a flow now and then", Cause.DESTINATION_NOT_ALLOWED),
        SCANS("a scan", Cause.PORT_SCAN, Cause.DESTINATION_FAN_OUT, Cause.DESTINATION_NOT_ALLOWED),
        FLOODS("a flood of messages", Cause.MESSAGE_FLOOD),
        SILENT("silence", Cause.SILENCE),
        STUCK("numbers that stand still", Cause.TELEMETRY_OUT_OF_HISTORY, Cause.TELEMETRY_IMPOSSIBLE),
        TRIPLED("three times the load", Cause.TELEMETRY_OUT_OF_HISTORY, Cause.TELEMETRY_IMPOSSIBLE),
        BYPASSED("a third of the load led past it", Cause.TELEMETRY_OUT_OF_HISTORY, Cause.TELEMETRY_IMPOSSIBLE),
        HOT("a terminal that overheats", Cause.TELEMETRY_OUT_OF_HISTORY, Cause.TELEMETRY_IMPOSSIBLE),
        RECONFIGURED("a configuration that somebody changed", Cause.CONFIGURATION_DRIFT);

        final String words;

        @SuppressWarnings("ImmutableEnumChecker") // a copy that nobody can change
        final Set<Cause> causes;

        Fate(String words, Cause... causes) {
            this.words = words;
            this.causes = Set.of(causes);
        }
    }

    /// What looks odd and is not.
    enum Habit {
        PLAIN,
        /// Its address changes every half hour; the old connection lingers, and its last packet comes late.
        REBOUND,
        /// A bad line: it reconnects every few minutes, at once or after minutes.
        FLAPPING,
        /// Reports four times a day.
        SLEEPS,
        /// Its clock is wrong by up to twenty minutes.
        SKEWED,
        /// One session listens, another is opened for each message.
        TWO_PROGRAMS,
        /// A carrier with two outside addresses for its HTTPS polls, at times.
        CARRIER,
        /// Has visitors for some hours: up to a third more than usual.
        VISITORS,
        /// Errs once in a while, below what is repeated.
        CLUMSY
    }

    final CityPlan.Meter meter;
    final DeviceRef device;
    final Habit habit;
    private final SplittableRandom random;
    private final int phase;
    private final Duration skew;
    private final double visitors;
    private final Map<String, Long> sessions = new HashMap<>();
    private long lastSession;
    private int ports;
    private int floods;

    MeterLife(CityPlan.Meter meter, Habit habit, SplittableRandom random) {
        this.meter = meter;
        this.device = DeviceRef.of("development", meter.id());
        this.habit = habit;
        this.random = random;
        this.phase = random.nextInt((int) INTERVAL.toMinutes());
        this.visitors = 1.05 + 0.28 * random.nextDouble();
        this.skew = habit == Habit.SKEWED ? Duration.ofSeconds(random.nextInt(-1200, 1200)) : Duration.ZERO;
    }

    Duration interval() {
        return habit == Habit.SLEEPS ? SLEEPERS_INTERVAL : INTERVAL;
    }

    Observation imported(Instant filed, Instant now) {
        Instant at = CityPlan.readingTime(meter, filed);
        return new Observation.Measurement(device, now, at, CityPlan.measure(meter, at), true);
    }

    /// What is observed within the minute.
    ///
    /// @param minute since the simulation began
    /// @param fate null while all is well
    List<Observation> minute(int minute, Instant begin, @org.jspecify.annotations.Nullable Fate fate) {
        List<Observation> seen = new ArrayList<>();
        if (fate == Fate.SILENT) {
            return seen;
        }
        Instant at = begin.plusMillis(random.nextInt(1_000, 20_000));
        boolean reports = habit == Habit.SLEEPS ? minute % 360 == phase : minute % 5 == phase;
        connect(minute, at, seen);
        if (reports) {
            at = at.plusMillis(500);
            speak(at, seen);
            seen.add(new Observation.Measurement(device, at, at.plus(skew), numbers(at.plus(skew), fate), false));
        }
        if (minute % 30 == phase) {
            configuration(at.plusSeconds(1), fate, seen);
            poll(minute, at.plusSeconds(2), seen);
        }
        if (habit == Habit.CLUMSY && minute % 60 == phase) {
            seen.add(new Observation.Violation(device, at, Rule.FORBIDDEN_TOPIC, "d/typo/log"));
            seen.add(new Observation.Violation(device, at, Rule.MALFORMED_MESSAGE, "not JSON"));
            seen.add(new Observation.AuthenticationFailure(device, at, "EST: token expired", "198.51.100.4:9"));
        }
        if (fate != null) {
            attack(fate, begin.plusSeconds(30), seen);
        }
        return seen;
    }

    private String address(String of) {
        return "10." + Math.floorMod(of.hashCode(), 200) + "."
                + Math.floorMod(meter.id().hashCode(), 200) + ".7:1000";
    }

    private Observation activity(long session, String protocol, String from, Instant at, Kind kind) {
        return new Observation.SessionActivity(device, at, session, CERTIFICATE, protocol, from, kind);
    }

    private long open(String name, String protocol, String from, Instant at, List<Observation> seen) {
        lastSession = SessionOrder.next(lastSession, at);
        sessions.put(name, lastSession);
        seen.add(activity(lastSession, protocol, from, at, Kind.OPENED));
        return lastSession;
    }

    private void connect(int minute, Instant at, List<Observation> seen) {
        String here = address(habit == Habit.REBOUND ? "nat" + minute / 30 : "home");
        Long own = sessions.get("own");
        boolean again = own == null
                || (habit == Habit.REBOUND && minute % 30 == 0)
                || (habit == Habit.FLAPPING && random.nextInt(4) == 0)
                || (habit == Habit.SLEEPS && minute % 360 == phase);
        if (!again) {
            return;
        }
        boolean politely = own != null && random.nextBoolean() && habit != Habit.REBOUND;
        if (own != null && politely) {
            seen.add(activity(own, "mqtt", here, at.minusMillis(300), Kind.CLOSED));
        }
        open("own", "mqtt", here, at, seen);
        if (own != null && !politely) {
            if (random.nextBoolean()) {
                seen.add(activity(own, "mqtt", here, at.plusMillis(150), Kind.USED)); // was under way
            }
            if (habit != Habit.REBOUND) {
                seen.add(activity(own, "mqtt", here, at.plusMillis(200), Kind.CLOSED)); // the newer one took over
            }
        }
    }

    private void speak(Instant at, List<Observation> seen) {
        seen.add(activity(sessions.getOrDefault("own", 0L), "mqtt", address("home"), at, Kind.USED));
        if (habit == Habit.TWO_PROGRAMS) {
            long brief = open("brief", "mqtt", address("home"), at.plusMillis(10), seen);
            seen.add(activity(brief, "mqtt", address("home"), at.plusMillis(20), Kind.USED));
            seen.add(activity(brief, "mqtt", address("home"), at.plusMillis(30), Kind.CLOSED));
        }
    }

    private void poll(int minute, Instant at, List<Observation> seen) {
        String from = address(habit == Habit.CARRIER ? "way" + minute % 2 : "home");
        long session = open("poll", "https", from, at, seen);
        seen.add(activity(session, "https", from, at.plusMillis(40), Kind.USED));
        seen.add(activity(session, "https", from, at.plusMillis(90), Kind.CLOSED));
    }

    private void configuration(Instant at, @org.jspecify.annotations.Nullable Fate fate, List<Observation> seen) {
        seen.add(new Observation.ConfigurationReport(
                device,
                at,
                Map.of("logLevel", fate == Fate.RECONFIGURED ? "debug" : "info", "interval", "300", "extra", "x")));
    }

    private Map<String, Double> numbers(Instant at, @org.jspecify.annotations.Nullable Fate fate) {
        Map<String, Double> usual = new HashMap<>(CityPlan.measure(meter, at));
        double power = usual.getOrDefault("powerKw", 0.0);
        if (habit == Habit.VISITORS && at.getEpochSecond() / 3600 % 24 >= 17) {
            usual.put("powerKw", power * visitors);
        }
        switch (fate == null ? Fate.SILENT : fate) {
            case TRIPLED -> usual.put("powerKw", power * 3 + 1);
            case BYPASSED -> usual.put("powerKw", power * 0.67);
            case HOT -> usual.put("temperature", usual.getOrDefault("temperature", 0.0) + 18);
            case STUCK -> usual.putAll(Map.of("powerKw", 0.0, "voltage", 221.0));
            case CLONED_THROWN_OUT,
                    CLONED_BESIDE,
                    OLD_CERTIFICATE,
                    FOREIGN_TOPICS,
                    FOREIGN_ACTIONS,
                    EXFILTRATES,
                    SCANS,
                    FLOODS,
                    SILENT,
                    RECONFIGURED -> {}
        }
        return usual;
    }

    /// What the attacker does within a minute.
    private void attack(Fate fate, Instant at, List<Observation> seen) {
        switch (fate) {
            case CLONED_THROWN_OUT -> {
                // Both come back whenever the other has taken over.
                for (int i = 0; i < 4; i++) {
                    boolean clone = i % 2 == 0;
                    String from = clone ? address("attacker") : address("home");
                    Long before = sessions.get("own");
                    long session = open("own", "mqtt", from, at.plusSeconds(3L * i), seen);
                    seen.add(activity(session, "mqtt", from, at.plusSeconds(3L * i + 1), Kind.USED));
                    if (before != null) {
                        seen.add(activity(before, "mqtt", from, at.plusSeconds(3L * i + 1), Kind.CLOSED));
                    }
                }
            }
            case CLONED_BESIDE -> {
                String from = address("attacker");
                Long clone = sessions.get("clone");
                long session = clone == null ? open("clone", "mqtt", from, at, seen) : clone;
                seen.add(activity(session, "mqtt", from, at.plusSeconds(5), Kind.USED));
                seen.add(activity(
                        sessions.getOrDefault("own", 0L), "mqtt", address("home"), at.plusSeconds(9), Kind.USED));
            }
            case OLD_CERTIFICATE -> {
                if (random.nextInt(10) == 0) {
                    seen.add(new Observation.RefusedCertificate(
                            device, at, new Serial("76"), "CERTIFICATE_SUPERSEDED", true, address("attacker")));
                }
            }
            case FOREIGN_TOPICS -> violations(Rule.FORBIDDEN_TOPIC, "d/another/telemetry", at, seen);
            case FOREIGN_ACTIONS -> violations(Rule.FOREIGN_ACTION, "feedback of another's action", at, seen);
            case EXFILTRATES -> {
                if (random.nextInt(8) == 0) {
                    seen.add(flow("203.0.113.66", 443, at));
                }
            }
            case SCANS -> {
                for (int i = 0; i < 6; i++) {
                    ports++;
                    seen.add(flow("127.21.3." + (1 + ports % 3), 20 + ports, at.plusSeconds(i)));
                }
            }
            case FLOODS -> {
                for (int i = 0; i < 400 && floods < 4_000; i++, floods++) {
                    Instant next = at.plusMillis(50L * i);
                    seen.add(new Observation.Measurement(device, next, next, CityPlan.measure(meter, next), false));
                }
            }
            case SILENT, STUCK, TRIPLED, BYPASSED, HOT, RECONFIGURED -> {}
        }
    }

    private void violations(Rule rule, String detail, Instant at, List<Observation> seen) {
        if (random.nextInt(3) == 0) {
            seen.add(new Observation.Violation(device, at, rule, detail));
        }
    }

    private Observation flow(String destination, int port, Instant at) {
        DeviceRef gateway = DeviceRef.of("development", meter.gateway());
        return new Observation.Flow(
                device, at, Provenance.OBSERVED, gateway, at.minusSeconds(1), at, destination, port, "tcp", 900, 4);
    }
}
