package dev.holdfast.ca;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import dev.holdfast.profiles.Profiles;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What becomes of a certificate once it is issued: in use, superseded, on hold, back again, revoked.
public final class CertificateLifecycle {
    private final Profiles profiles;

    CertificateLifecycle(Profiles profiles) {
        this.profiles = profiles;
    }

    /// The certificate was used: it is the device's current one. Those before it are superseded: at once, or,
    /// where the profile says so, the one that was in use after an overlap.
    ///
    /// @return false when it was current already, or does not count any more
    public boolean activate(Transaction tx, Serial serial, Actor actor) {
        Optional<IssuedCertificate> found = CertificateStore.lock(tx.sql(), serial);
        if (found.isEmpty() || found.get().state() != CertificateState.PENDING) {
            return false;
        }
        DeviceRef device = found.get().device().orElseThrow();
        Instant ends = tx.now()
                .plus(profiles.find(device.environment(), found.get().profile())
                        .map(profile -> profile.rotation().overlap())
                        .orElse(Duration.ZERO));
        List<Serial> old = CertificateStore.before(tx.sql(), device, serial);
        CertificateStore.setState(tx.sql(), serial, CertificateState.CURRENT, null, tx.now());
        old.forEach(s -> CertificateStore.setState(tx.sql(), s, CertificateState.SUPERSEDED, null, ends));
        tx.record(new Entry(
                "certificate.activated",
                device.environment(),
                Issuance.subject(Optional.of(device), ""),
                actor,
                "first used",
                Map.of("serial", serial.hex(), "superseded", hex(old), "supersededAt", ends.toString())));
        return true;
    }

    /// What became of a wish to go back.
    public sealed interface RolledBack {
        /// @param ended the certificate that does not count any more
        /// @param restored the one before it, which is the current one again
        record Done(Serial ended, Serial restored) implements RolledBack {}

        /// The device has no current certificate, or the one before it does not count any more.
        record NothingToGoBackTo() implements RolledBack {}
    }

    /// Ends the device's newest certificate and makes the one before it the current one again, which is
    /// possible while their overlap lasts.
    public RolledBack rollBack(Transaction tx, DeviceRef device, String why, Actor actor) {
        List<IssuedCertificate> all = CertificateStore.lockOfDevice(tx.sql(), device);
        Optional<IssuedCertificate> current =
                all.stream().filter(c -> c.state() == CertificateState.CURRENT).findFirst();
        Optional<IssuedCertificate> before = all.stream()
                .filter(c -> c.overlaps(tx.now()) && tx.now().isBefore(c.notAfter()))
                .findFirst();
        if (current.isEmpty() || before.isEmpty()) {
            return new RolledBack.NothingToGoBackTo();
        }
        Serial ended = current.get().serial();
        Serial restored = before.get().serial();
        CertificateStore.setState(tx.sql(), ended, CertificateState.REVOKED, RevocationReason.SUPERSEDED, tx.now());
        CertificateStore.restore(tx.sql(), restored);
        tx.record(new Entry(
                "certificate.rolled-back",
                device.environment(),
                Issuance.subject(Optional.of(device), ""),
                actor,
                why,
                Map.of(
                        "serials",
                        hex(List.of(ended)),
                        "restored",
                        restored.hex(),
                        "reason",
                        RevocationReason.SUPERSEDED.text())));
        return new RolledBack.Done(ended, restored);
    }

    /// What became of a wish to revoke.
    public enum Revocation {
        REVOKED,
        ALREADY_REVOKED,
        UNKNOWN
    }

    /// Ends a certificate for ever.
    ///
    /// @param why in a sentence for people
    public Revocation revoke(Transaction tx, Serial serial, RevocationReason reason, String why, Actor actor) {
        Optional<IssuedCertificate> found = CertificateStore.lock(tx.sql(), serial);
        if (found.isEmpty()) {
            return Revocation.UNKNOWN;
        }
        if (found.get().state() == CertificateState.REVOKED) {
            return Revocation.ALREADY_REVOKED;
        }
        end(tx, found.get().device(), found.get().name(), List.of(serial), reason, why, actor);
        return Revocation.REVOKED;
    }

    /// Ends every certificate of the device that still counts.
    public void revokeAll(Transaction tx, DeviceRef device, RevocationReason reason, String why, Actor actor) {
        List<Serial> counting = CertificateStore.ofDevice(tx.sql(), device).stream()
                .filter(c -> switch (c.state()) {
                    case INTENDED, PENDING, CURRENT -> true;
                    case SUPERSEDED -> c.overlaps(tx.now());
                    case REVOKED -> false;
                })
                .map(IssuedCertificate::serial)
                .toList();
        if (!counting.isEmpty()) {
            end(tx, Optional.of(device), "", counting, reason, why, actor);
        }
    }

    private static void end(
            Transaction tx,
            Optional<DeviceRef> device,
            String name,
            List<Serial> serials,
            RevocationReason reason,
            String why,
            Actor actor) {
        serials.forEach(s -> CertificateStore.setState(tx.sql(), s, CertificateState.REVOKED, reason, tx.now()));
        tx.record(new Entry(
                "certificate.revoked",
                device.map(DeviceRef::environment).orElse(new Environment("all")),
                Issuance.subject(device, name),
                actor,
                why,
                Map.of("serials", hex(serials), "reason", reason.text())));
    }

    /// Repeats a revocation that came after the backup which was restored.
    ///
    /// @return whether it was one of ours and changed something
    public boolean replay(Transaction tx, Recorded entry) {
        var json = entry.json();
        String kind = json.path("kind").asText();
        if (!kind.equals("certificate.revoked") && !kind.equals("certificate.rolled-back")) {
            return false;
        }
        RevocationReason reason = RevocationReason.parse(
                        json.path("body").path("reason").asText())
                .orElse(RevocationReason.UNSPECIFIED);
        boolean changed = false;
        for (var serial : json.path("body").path("serials")) {
            changed |= revoke(
                            tx,
                            new Serial(serial.asText()),
                            reason,
                            "again after a restore: " + json.path("reason").asText(),
                            new Actor.Holdfast("journal"))
                    == Revocation.REVOKED;
        }
        return changed;
    }

    /// While a device is suspended its certificates are on hold (RFC 5280 section 5.3.1), for those who ask by
    /// OCSP or CRL; our own doors look at the device's state anyway.
    public void hold(Transaction tx, DeviceRef device, boolean held, String why, Actor actor) {
        List<Serial> overlapping = held ? CertificateStore.endOverlap(tx.sql(), device, tx.now()) : List.of();
        if (!overlapping.isEmpty()) {
            tx.record(new Entry(
                    "certificate.overlap-ended",
                    device.environment(),
                    Issuance.subject(Optional.of(device), ""),
                    actor,
                    why,
                    Map.of("serials", hex(overlapping))));
        }
        List<Serial> changed = CertificateStore.hold(tx.sql(), device, held, tx.now());
        if (!changed.isEmpty()) {
            tx.record(new Entry(
                    held ? "certificate.held" : "certificate.released",
                    device.environment(),
                    Issuance.subject(Optional.of(device), ""),
                    actor,
                    why,
                    Map.of("serials", hex(changed))));
        }
    }

    private static List<String> hex(List<Serial> serials) {
        return serials.stream().map(Serial::hex).toList();
    }
}
