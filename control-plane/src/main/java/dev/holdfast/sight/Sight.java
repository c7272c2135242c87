package dev.holdfast.sight;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.telemetry.Telemetry;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// The room's door: when certificates end, which keys there are, and what of it is not as it should be.
public final class Sight implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Sight.class);
    private static final Duration SWEEP_EVERY = Duration.ofMinutes(10);
    /// What a question cost decides how long its answer is remembered: this many times as long, at most a
    /// minute.
    private static final int REMEMBERED_TIMES = 50;
    private static final Duration LONGEST_REMEMBERED = Duration.ofMinutes(1);
    private static final Duration MEASURED = Duration.ofDays(30);
    private static final Duration CLIFF_HORIZON = Duration.ofDays(90);

    private final Database database;
    private final Ca ca;
    private final Telemetry telemetry;
    private final IntSupplier renewalsPerHour;
    private final InstantSource clock;
    private final Sweep sweep;
    private final RogueWatch rogues;
    private final Map<Environment, Endings> endings = new ConcurrentHashMap<>();
    private final CountDownLatch closing = new CountDownLatch(1);
    private @Nullable Thread worker;

    /// What the table of certificates said a moment ago: the question costs a second with a million of them.
    private record Endings(Map<Instant, Long> byHour, long ended, long measured, Instant until) {}

    /// @param renewalsPerHour that this installation means to serve
    public Sight(
            Database database,
            Journal journal,
            Ca ca,
            Telemetry telemetry,
            Freeze freeze,
            IntSupplier renewalsPerHour,
            InstantSource clock) {
        this.database = database;
        this.ca = ca;
        this.telemetry = telemetry;
        this.renewalsPerHour = renewalsPerHour;
        this.clock = clock;
        this.sweep = new Sweep(database, journal, ca, telemetry);
        this.rogues = new RogueWatch(database, journal, ca, freeze, clock);
    }

    public void start() {
        worker = Thread.ofVirtual().name("sight").start(this::work);
    }

    private void work() {
        try {
            while (!closing.await(1, TimeUnit.SECONDS)) {
                try {
                    rogues.work();
                    if (sweep.takeTurn(clock.instant(), SWEEP_EVERY)) {
                        look();
                    }
                } catch (RuntimeException e) {
                    LOG.warn("sight: {}", e.toString());
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /// Looks through all certificates, now; otherwise one node does so every ten minutes.
    public void look() {
        Instant now = clock.instant();
        environments()
                .forEach(environment ->
                        sweep.run(environment, forecast(environment, CLIFF_HORIZON, Duration.ofDays(1)), now));
    }

    private List<Environment> environments() {
        return ca.authorities().all().stream()
                .filter(a -> a.purpose() == Authority.Purpose.DEVICE)
                .flatMap(a -> a.environment().stream())
                .distinct()
                .toList();
    }

    /// When certificates end, against the renewals that can be served until then.
    ///
    /// @param horizon how far ahead
    /// @param step width of a bucket
    public Forecast forecast(Environment environment, Duration horizon, Duration step) {
        Instant now = clock.instant();
        Endings known = endings.get(environment);
        if (known == null || known.until().isBefore(now)) {
            known = ask(environment, now);
            endings.put(environment, known);
        }
        return Forecast.of(
                known.byHour(),
                known.ended(),
                new Forecast.Capacity(renewalsPerHour.getAsInt(), known.measured()),
                now,
                horizon,
                step);
    }

    private Endings ask(Environment environment, Instant now) {
        long began = System.nanoTime();
        Endings fresh = database.read(sql -> new Endings(
                SightStore.endings(sql, environment, now),
                SightStore.ended(sql, environment, now),
                SightStore.mostIssuedInAnHour(sql, environment, now.minus(MEASURED)),
                now));
        Duration cost = Duration.ofNanos(System.nanoTime() - began).multipliedBy(REMEMBERED_TIMES);
        Duration remembered = cost.compareTo(LONGEST_REMEMBERED) > 0 ? LONGEST_REMEMBERED : cost;
        return new Endings(fresh.byHour(), fresh.ended(), fresh.measured(), now.plus(remembered));
    }

    /// Which keys the certificates have that count now.
    public KeyCensus keys(Environment environment) {
        Instant now = clock.instant();
        return new KeyCensus(
                now, sweep.groups(environment, now), database.read(sql -> SightStore.shared(sql, environment, 100)));
    }

    /// Certificates that our keys signed and that we have no record of, those seen last first.
    public List<Rogue> rogues(Environment environment, int limit) {
        return database.read(sql -> SightStore.rogues(sql, environment, limit));
    }

    /// The TLS door saw a certificate with a right signature of ours whose serial is not known in memory. Never
    /// blocks.
    public void sawUnknown(X509Certificate leaf, String remoteAddress) {
        rogues.sawUnknown(leaf, remoteAddress);
    }

    /// The TLS door saw a certificate that names one of our authorities, which did not sign it. Never blocks.
    public void sawForged(String subject, String remoteAddress) {
        rogues.sawForged(subject, remoteAddress);
    }

    /// A device asked for a certificate for a key that belongs to another one.
    ///
    /// The asker has shown a request that is signed with that key, which may be a copy of the owner's request:
    /// nobody is isolated for it.
    public void sawSharedKey(DeviceRef owner, Optional<DeviceRef> asker) {
        Instant now = clock.instant();
        String who = asker.map(a -> a.id().value()).orElse("a device that is not known");
        telemetry.accept(new Observation.CertificateConcern(
                owner,
                now,
                Observation.CertificateConcern.Matter.KEY_SHARED,
                Provenance.PROVEN,
                "a key that no other device has",
                who + " asked for a certificate for the key of " + owner.id()));
        asker.ifPresent(device -> telemetry.accept(new Observation.CertificateConcern(
                device,
                now,
                Observation.CertificateConcern.Matter.KEY_SHARED,
                Provenance.PROVEN,
                "a key of its own",
                device.id() + " asked for a certificate for the key of " + owner.id())));
    }

    @Override
    public void close() {
        closing.countDown();
        try {
            if (worker != null) {
                worker.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
