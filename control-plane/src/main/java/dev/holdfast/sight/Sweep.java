package dev.holdfast.sight;

import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Ca;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.telemetry.Telemetry;
import java.security.GeneralSecurityException;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// The look through all certificates, one node at a time: what ends soon without a successor, which keys their
/// profile would not take today, and whether a cliff comes.
///
/// A few devices are told of one by one; when many are concerned alike it is one matter of their authority's,
/// because a thousand incidents help nobody. A device's concern is observed before it is marked as told: after
/// a crash between the two it is told again rather than never.
final class Sweep {
    static final String ENDING = "ENDING";
    private static final String WEAK = "KEY_WEAK";
    private static final String CLIFF = "RENEWAL_CLIFF";
    private static final int FEW = 50;
    private static final int MOST = 5_000;
    private static final Duration TOLD_AGAIN = Duration.ofDays(1);
    private static final Duration REMEMBERED = Duration.ofDays(400);
    private static final Set<KeyKind> SAFE = Set.of(KeyKind.ML_DSA_65);
    static final Actor ACTOR = new Actor.Holdfast("sight");

    private final Database database;
    private final Journal journal;
    private final Ca ca;
    private final Telemetry telemetry;

    Sweep(Database database, Journal journal, Ca ca, Telemetry telemetry) {
        this.database = database;
        this.journal = journal;
        this.ca = ca;
        this.telemetry = telemetry;
    }

    /// @return false when another node has looked within the interval
    boolean takeTurn(Instant now, Duration interval) {
        return database.<Boolean>read(sql -> SightStore.takeTurn(sql, now, now.minus(interval)));
    }

    void run(Environment environment, Forecast forecast, Instant now) {
        Optional<Authority> issuer = ca.authorities().devices(environment);
        if (issuer.isEmpty()) {
            return;
        }
        String authority = issuer.get().id();
        tell(
                environment,
                authority,
                ENDING,
                "CERTIFICATES_ENDING",
                Observation.CertificateConcern.Matter.ENDING,
                database.read(sql -> SightStore.ending(sql, environment, now, MOST)),
                "a successor in time",
                now);
        for (SightStore.Alike group : database.read(sql -> SightStore.keys(sql, environment, now))) {
            if (!accepted(environment, group.profile(), kind(group.example()))) {
                tell(
                        environment,
                        authority,
                        WEAK,
                        "KEYS_WEAK",
                        Observation.CertificateConcern.Matter.KEY_WEAK,
                        database.read(sql -> SightStore.alike(sql, environment, group, WEAK, now, MOST)),
                        "a key that profile " + group.profile() + " takes today",
                        now);
            }
        }
        forecast.cliff().ifPresent(cliff -> cliff(environment, authority, cliff, now));
        database.run(sql -> SightStore.forget(sql, now.minus(REMEMBERED)));
    }

    private void tell(
            Environment environment,
            String authority,
            String concern,
            String many,
            Observation.CertificateConcern.Matter matter,
            List<SightStore.Concerned> concerned,
            String expected,
            Instant now) {
        if (concerned.isEmpty()) {
            return;
        }
        List<String> serials = concerned.stream().map(one -> one.serial().hex()).toList();
        if (concerned.size() > FEW) {
            SightStore.Concerned first = concerned.getFirst();
            journal.run(tx -> {
                SightStore.told(tx.sql(), environment, concern, serials, now);
                record(
                        tx,
                        environment,
                        authority,
                        new Concern(
                                many,
                                "MEDIUM",
                                Provenance.PROVEN,
                                expected,
                                (concerned.size() == MOST ? "at least " : "") + concerned.size()
                                        + " devices without, the first of them "
                                        + first.device().id()
                                        + " (certificate " + first.serial() + ", ends " + first.notAfter() + ")"));
            });
            return;
        }
        boolean all = true;
        for (SightStore.Concerned one : concerned) {
            all &= telemetry.accept(new Observation.CertificateConcern(
                    one.device(),
                    now,
                    matter,
                    Provenance.PROVEN,
                    expected,
                    "certificate " + one.serial() + ", " + kind(one.publicKey()).text() + ", ends " + one.notAfter()));
        }
        if (all) {
            database.run(sql -> SightStore.told(sql, environment, concern, serials, now));
        }
    }

    private void cliff(Environment environment, String authority, Forecast.Cliff cliff, Instant now) {
        journal.run(tx -> {
            Optional<Instant> told = SightStore.toldAt(tx.sql(), environment, CLIFF, authority);
            if (told.isPresent() && told.get().plus(TOLD_AGAIN).isAfter(now)) {
                return;
            }
            SightStore.told(tx.sql(), environment, CLIFF, List.of(authority), now);
            record(
                    tx,
                    environment,
                    authority,
                    new Concern(
                            CLIFF,
                            "HIGH",
                            Provenance.PROVEN,
                            "every certificate renewed before it ends",
                            cliff.ending() + " certificates end until " + cliff.at() + ", " + cliff.servable()
                                    + " renewals can be served before; " + cliff.perHourNeeded()
                                    + " an hour would be enough"));
        });
    }

    /// A concern of an authority's certificates as a whole, from which an incident follows.
    record Concern(String cause, String severity, Provenance provenance, String expected, String seen) {}

    static void record(Transaction tx, Environment environment, String authority, Concern concern) {
        tx.record(new Entry(
                "identity.concern",
                environment,
                "authority:" + authority,
                ACTOR,
                concern.cause() + ": " + concern.seen(),
                Map.of(
                        "cause", concern.cause(),
                        "severity", concern.severity(),
                        "provenance", concern.provenance().name(),
                        "expected", concern.expected(),
                        "seen", concern.seen())));
    }

    List<KeyCensus.Group> groups(Environment environment, Instant now) {
        return database.read(sql -> SightStore.keys(sql, environment, now)).stream()
                .map(group -> {
                    KeyKind kind = kind(group.example());
                    return new KeyCensus.Group(
                            group.profile(),
                            kind,
                            group.certificates(),
                            accepted(environment, group.profile(), kind),
                            SAFE.contains(kind));
                })
                .toList();
    }

    private boolean accepted(Environment environment, String profile, KeyKind kind) {
        return ca.profiles()
                .find(environment, profile)
                .map(CertificateProfile::keys)
                .map(keys -> keys.kinds().contains(kind))
                .orElse(kind.isIssuable());
    }

    static KeyKind kind(byte[] publicKey) {
        try {
            SubjectPublicKeyInfo info = SubjectPublicKeyInfo.getInstance(publicKey);
            Optional<String> algorithm = Crypto.algorithm(info.getAlgorithm());
            return algorithm.isPresent() ? KeyKind.of(Crypto.publicKey(algorithm.get(), publicKey)) : KeyKind.OTHER;
        } catch (GeneralSecurityException | RuntimeException e) {
            return KeyKind.OTHER;
        }
    }
}
