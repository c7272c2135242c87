package dev.holdfast.sight;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.DeviceDirectory;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.ObservationConsumer;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Who did not come in lately, and why: of every node of the installation, over restarts.
///
/// Anybody on the network can cause failures, so what they cost is bounded: they are counted in memory and written
/// every other second, on a thread of their own, so many lines at most; so many are kept for each device and each
/// host, and over all, the oldest dropped first. What proves to be of a device, comes from where the device was
/// heard last, only names it, or is a stranger's has room of its own each ([Shelf]): no flood of one pushes out
/// another. Lines are kept for a week. What is lost (a crash loses the last two seconds, a flood loses lines) is a
/// hint for an operator, and no decision is made from it.
public final class FailedAttempts implements ObservationConsumer, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(FailedAttempts.class);
    private static final Duration EVERY = Duration.ofSeconds(2);
    private static final int MOST_OF_A_DEVICE = 200;
    private static final Pattern FACT = Pattern.compile("[a-z-]{3,60}");
    private static final Pattern SERIAL = Pattern.compile("[1-9a-f][0-9a-f]{0,39}");

    private final Database database;
    private final DeviceDirectory devices;
    private final Function<Serial, Optional<DeviceRef>> owner;
    private final Environment environment;
    private final InstantSource clock;
    private final FailedAttemptBuffer buffer = new FailedAttemptBuffer();
    private final DeviceHosts hosts = new DeviceHosts();
    private final FailedAttemptWriter writer;
    private final CountDownLatch closing = new CountDownLatch(1);
    private @Nullable Thread worker;

    /// @param owner whose certificate has this serial number, from memory
    /// @param environment of this node's listeners
    public FailedAttempts(
            Database database,
            DeviceDirectory devices,
            Function<Serial, Optional<DeviceRef>> owner,
            Environment environment,
            InstantSource clock) {
        this.database = database;
        this.devices = devices;
        this.owner = owner;
        this.environment = environment;
        this.clock = clock;
        this.writer = new FailedAttemptWriter(database, environment, buffer, hosts);
    }

    // ------------------------------------------------------------------ taking

    /// A TLS handshake failed. Never blocks: it is called on the connection's event loop.
    ///
    /// @param cause a fact such as `ISSUER_UNKNOWN`
    /// @param subject of the certificate presented, else empty; with the serial it may name a device, and proves
    ///     nothing
    public void handshakeFailed(
            Instant at, String cause, String detail, String subject, String serial, String remoteAddress) {
        Optional<DeviceRef> device = named(subject).or(() -> bySerial(serial));
        add(at, device, Attempt.Stage.HANDSHAKE, cause, false, subject, detail, remoteAddress);
    }

    /// A certificate was not granted to somebody whose credential was good. Never blocks.
    public void enrolmentRefused(Instant at, DeviceRef named, String cause, String detail, String remoteAddress) {
        add(at, named, Attempt.Stage.ENROLMENT, cause, true, detail, remoteAddress);
    }

    @Override
    public void observed(int shard, Observation observation) {
        switch (observation) {
            case Observation.RefusedCertificate r ->
                add(
                        r.receivedAt(),
                        r.device(),
                        Attempt.Stage.ADMISSION,
                        r.refusal(),
                        r.keyProven(),
                        "the certificate with serial number " + r.certificate() + " was refused",
                        r.remoteAddress());
            case Observation.AuthenticationFailure f ->
                add(
                        f.receivedAt(),
                        f.device(),
                        Attempt.Stage.ENROLMENT,
                        fact(f.cause()),
                        false,
                        f.cause(),
                        f.remoteAddress());
            case Observation.SessionActivity activity -> {
                if (activity.kind() == Observation.SessionActivity.Kind.OPENED) {
                    hosts.saw(activity);
                }
            }
            case Observation.Measurement _,
                    Observation.LogLine _,
                    Observation.ConfigurationReport _,
                    Observation.Event _,
                    Observation.Flow _,
                    Observation.CertificateConcern _,
                    Observation.Violation _ -> {}
        }
    }

    /// `EST: token-wrong` is `TOKEN_WRONG`.
    private static String fact(String detail) {
        String last = detail.substring(detail.lastIndexOf(' ') + 1);
        return FACT.matcher(last).matches() ? last.toUpperCase(Locale.ROOT).replace('-', '_') : "AUTHENTICATION_FAILED";
    }

    private void add(
            Instant at,
            DeviceRef named,
            Attempt.Stage stage,
            String cause,
            boolean proven,
            String detail,
            String remoteAddress) {
        Optional<DeviceRef> ours = Optional.of(named).filter(this::isKnown);
        add(at, ours, stage, cause, proven && ours.isPresent(), "CN=" + named.id(), detail, remoteAddress);
    }

    private void add(
            Instant at,
            Optional<DeviceRef> device,
            Attempt.Stage stage,
            String cause,
            boolean proven,
            String subject,
            String detail,
            String remoteAddress) {
        Shelf shelf = proven ? Shelf.PROVEN : device.isEmpty() ? Shelf.STRANGER : Shelf.NAMED;
        buffer.add(new FailedAttempt(
                device.map(DeviceRef::environment).orElse(environment),
                device.map(one -> one.id().value()).orElse(""),
                SourceHost.of(remoteAddress),
                stage,
                cause,
                shelf,
                subject,
                detail,
                remoteAddress,
                at,
                at,
                1));
    }

    private boolean isKnown(DeviceRef device) {
        return devices.find(device).isPresent();
    }

    /// Whom a subject names, which proves nothing: `CN=m-1`, alone or as a part.
    private Optional<DeviceRef> named(String subject) {
        for (String part : subject.split(",", 8)) {
            String name = part.strip();
            Optional<DeviceRef> device = name.startsWith("CN=")
                    ? DeviceId.parse(name.substring(3)).map(id -> new DeviceRef(environment, id))
                    : Optional.empty();
            if (device.filter(this::isKnown).isPresent()) {
                return device;
            }
        }
        return Optional.empty();
    }

    private Optional<DeviceRef> bySerial(String serial) {
        return SERIAL.matcher(serial).matches() ? owner.apply(new Serial(serial)) : Optional.empty();
    }

    // ------------------------------------------------------------------ writing

    public void start() {
        worker = Thread.ofVirtual().name("failed-attempts").start(() -> {
            try {
                while (!closing.await(EVERY.toMillis(), TimeUnit.MILLISECONDS)) {
                    turn();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
    }

    private void turn() {
        try {
            flush();
        } catch (RuntimeException e) {
            LOG.warn("who did not come in could not be written; it will be tried again: {}", e.toString());
        }
    }

    void flush() {
        writer.turn(clock.instant());
    }

    // ------------------------------------------------------------------ asking

    /// What failed for the device, and what failed without a name where the device is; newest first.
    ///
    /// @param addresses with their ports, of its sessions now
    public List<Attempt> of(DeviceRef device, Collection<String> addresses) {
        Set<String> where = addresses.stream().map(SourceHost::of).collect(Collectors.toCollection(HashSet::new));
        List<FailedAttempt> stored = database.read(sql -> {
            FailedAttemptStore.host(sql, device).ifPresent(where::add);
            return FailedAttemptStore.of(sql, device, where, MOST_OF_A_DEVICE);
        });
        String id = device.id().value();
        return newestFirst(
                        stored,
                        buffer.peek().stream()
                                .filter(a -> a.environment().equals(device.environment()))
                                .filter(a ->
                                        a.device().equals(id) || (a.device().isEmpty() && where.contains(a.host())))
                                .toList())
                .limit(MOST_OF_A_DEVICE)
                .map(a -> a.attempt(a.device().equals(id)))
                .toList();
    }

    /// Newest first.
    ///
    /// @param device only of this one
    /// @param address only from there, without a port
    public List<FailedAttempt> last(Environment of, Optional<DeviceId> device, Optional<String> address, int limit) {
        String host = address.map(SourceHost::alone).orElse("");
        List<FailedAttempt> stored = database.read(sql -> device.isPresent()
                ? FailedAttemptStore.of(sql, new DeviceRef(of, device.get()), List.of(), limit)
                : FailedAttemptStore.last(sql, of, host, limit));
        return newestFirst(
                        stored,
                        buffer.peek().stream()
                                .filter(a -> a.environment().equals(of))
                                .filter(a -> device.isEmpty()
                                        || a.device().equals(device.get().value()))
                                .toList())
                .filter(a -> host.isEmpty() || a.host().equals(host))
                .limit(limit)
                .toList();
    }

    private static Stream<FailedAttempt> newestFirst(List<FailedAttempt> stored, List<FailedAttempt> waiting) {
        Map<FailedAttempt.Key, FailedAttempt> all = new LinkedHashMap<>();
        List<FailedAttempt> both = new ArrayList<>(stored);
        both.addAll(waiting);
        both.forEach(a -> all.merge(a.key(), a, FailedAttempt::and));
        return all.values().stream()
                .sorted(Comparator.comparing(FailedAttempt::lastAt).reversed());
    }

    /// Attempts of which nothing is kept on this node, because there were too many at once.
    public long dropped() {
        return buffer.dropped();
    }

    @Override
    public void close() {
        closing.countDown();
        try {
            if (worker != null) {
                worker.join(EVERY.multipliedBy(5));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        turn();
    }
}
