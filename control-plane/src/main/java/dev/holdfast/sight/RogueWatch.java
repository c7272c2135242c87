package dev.holdfast.sight;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.telemetry.Provenance;
import java.math.BigInteger;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;

/// Certificates that our keys signed and that we never issued: an issuing key in other hands, or records that
/// were lost.
///
/// Who shows one proves its signature (the trust manager has verified it) and its key (the handshake), so a
/// proven one says something about the *authority*; it says nothing about the device it names, which is never
/// isolated for it. One that only names an authority of ours proves nothing and anybody can make it: it is
/// counted, and told once an hour.
///
/// Bounded: at most [#MOST_WAITING] wait, the same certificate is looked up once a minute and told once an
/// hour.
final class RogueWatch {
    private static final int MOST_WAITING = 256;
    private static final int MOST_REMEMBERED = 2_000;
    private static final Duration LOOKED_UP_AGAIN = Duration.ofMinutes(1);
    private static final Duration TOLD_AGAIN = Duration.ofHours(1);
    /// Whoever has our key can make certificates without end; a person needs to be told of some.
    private static final int MOST_TOLD_IN_AN_HOUR = 20;
    private static final String FORGED = "CERTIFICATE_FORGED";

    private final Database database;
    private final Journal journal;
    private final Ca ca;
    private final Freeze freeze;
    private final InstantSource clock;
    private final AtomicLong forged = new AtomicLong();
    private volatile String lastForged = "";
    private Instant hour = Instant.EPOCH;
    private int toldInHour;
    private final Map<String, Waiting> waiting = new LinkedHashMap<>();
    private final Map<String, Instant> lookedUp = new LinkedHashMap<>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Instant> eldest) {
            return size() > MOST_REMEMBERED;
        }
    };

    private record Waiting(X509Certificate leaf, String remoteAddress, long times) {}

    RogueWatch(Database database, Journal journal, Ca ca, Freeze freeze, InstantSource clock) {
        this.database = database;
        this.journal = journal;
        this.ca = ca;
        this.freeze = freeze;
        this.clock = clock;
    }

    void sawUnknown(X509Certificate leaf, String remoteAddress) {
        String fingerprint = Certificates.fingerprint(leaf);
        synchronized (waiting) {
            Waiting before = waiting.get(fingerprint);
            if (before != null || waiting.size() < MOST_WAITING) {
                waiting.put(fingerprint, new Waiting(leaf, remoteAddress, before == null ? 1 : before.times() + 1));
            }
        }
    }

    void sawForged(String subject, String remoteAddress) {
        lastForged = subject + " from " + remoteAddress;
        forged.incrementAndGet();
    }

    /// What has come since the last call; on sight's thread.
    void work() {
        Map<String, Waiting> some;
        synchronized (waiting) {
            some = new LinkedHashMap<>(waiting);
            waiting.clear();
        }
        some.forEach(this::judge);
        if (forged.get() > 0) {
            tellForged();
        }
    }

    private void judge(String fingerprint, Waiting one) {
        Instant now = clock.instant();
        Instant before = lookedUp.get(fingerprint);
        if (before != null && before.plus(LOOKED_UP_AGAIN).isAfter(now)) {
            return;
        }
        lookedUp.put(fingerprint, now);
        BigInteger number = one.leaf().getSerialNumber();
        Optional<Authority> issuer = ca.authorities().all().stream()
                .filter(a -> a.certificate()
                        .getSubjectX500Principal()
                        .equals(one.leaf().getIssuerX500Principal()))
                .filter(a -> a.environment().isPresent())
                .findFirst();
        if (issuer.isEmpty()) {
            return; // its authority has been withdrawn since
        }
        boolean form = number.signum() > 0 && number.bitLength() <= 160;
        Serial serial = form ? Serial.of(number) : new Serial("0");
        byte[] der = Certificates.der(one.leaf());
        if (form && database.<Boolean>read(sql -> SightStore.isRecorded(sql, serial, der))) {
            return; // ours: the news of it is late, or it ended long ago
        }
        tell(
                issuer.get(),
                new Rogue(
                        fingerprint,
                        issuer.get().id(),
                        serial,
                        printable(one.leaf().getSubjectX500Principal().getName()),
                        now,
                        now,
                        one.times(),
                        one.remoteAddress(),
                        der),
                one.leaf(),
                now);
    }

    private void tell(Authority authority, Rogue rogue, X509Certificate leaf, Instant now) {
        Environment environment = authority.environment().orElseThrow();
        boolean maybeForgotten = freeze.isFrozen()
                || freeze.acceptances().stream()
                        .anyMatch(a -> a.at().isAfter(leaf.getNotBefore().toInstant()));
        boolean mayTell = mayTell(now);
        journal.run(tx -> {
            Optional<Instant> told = SightStore.toldAt(tx.sql(), environment, "ROGUE", rogue.fingerprint());
            var _ = SightStore.sawRogue(tx.sql(), environment, rogue, now);
            if (!mayTell || (told.isPresent() && told.get().plus(TOLD_AGAIN).isAfter(now))) {
                return;
            }
            SightStore.told(tx.sql(), environment, "ROGUE", List.of(rogue.fingerprint()), now);
            Sweep.record(
                    tx,
                    environment,
                    authority.id(),
                    new Sweep.Concern(
                            "ROGUE_CERTIFICATE",
                            maybeForgotten ? "HIGH" : "CRITICAL",
                            Provenance.PROVEN,
                            "only certificates that this installation issued",
                            "one that the key of " + authority.id() + " signed and nobody here issued: serial "
                                    + rogue.serial() + ", " + rogue.subject() + ", SHA-256 " + rogue.fingerprint()
                                    + ", shown from " + rogue.remoteAddress()
                                    + (maybeForgotten
                                            ? "; a restore from backup since its beginning may have forgotten it"
                                            : "; its issuing key may be in other hands")));
        });
    }

    private boolean mayTell(Instant now) {
        if (hour.plus(TOLD_AGAIN).isBefore(now)) {
            hour = now;
            toldInHour = 0;
        }
        return toldInHour++ < MOST_TOLD_IN_AN_HOUR;
    }

    private void tellForged() {
        Instant now = clock.instant();
        Optional<Authority> issuer = ca.authorities().all().stream()
                .filter(a -> a.purpose() == Authority.Purpose.DEVICE)
                .findFirst();
        if (issuer.isEmpty()) {
            return;
        }
        Environment environment = issuer.get().environment().orElseThrow();
        String last = lastForged;
        long count = forged.get();
        journal.run(tx -> {
            Optional<Instant> told = SightStore.toldAt(
                    tx.sql(), environment, FORGED, issuer.get().id());
            if (told.isPresent() && told.get().plus(TOLD_AGAIN).isAfter(now)) {
                return;
            }
            SightStore.told(tx.sql(), environment, FORGED, List.of(issuer.get().id()), now);
            Sweep.record(
                    tx,
                    environment,
                    issuer.get().id(),
                    new Sweep.Concern(
                            FORGED,
                            "LOW",
                            Provenance.CLAIMED,
                            "nobody who uses our authorities' names",
                            count + (count == 1 ? " certificate" : " certificates")
                                    + " that name an authority of ours which did not sign, the last " + last));
        });
        forged.addAndGet(-count);
    }

    private static String printable(String text) {
        String plain = text.replaceAll("[^ -~]", "?");
        return plain.length() > 200 ? plain.substring(0, 200) + "..." : plain;
    }
}
