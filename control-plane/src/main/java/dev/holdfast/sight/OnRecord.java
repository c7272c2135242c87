package dev.holdfast.sight;

import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.inventory.Lifecycle;
import java.time.Instant;
import java.util.Optional;

/// What the records say against a device's coming in, whatever it tries.
final class OnRecord {
    private OnRecord() {}

    static Optional<Reason> node(Circumstances c) {
        if (c.blind()) {
            return Optional.of(Reason.bars(
                    "SERVER_CANNOT_CHECK",
                    "This server has not heard its database for a while and lets nobody new in.",
                    "look at the database and the network to it; devices come back by themselves",
                    "the-server-cannot-check"));
        }
        return c.frozen()
                ? Optional.of(Reason.bars(
                        "FROZEN",
                        "Nobody is let in and nothing is issued: the installation is frozen after a restore, and may have"
                                + " forgotten who was revoked.",
                        "settle the restore: holdfast db freeze, docs/operations.md",
                        "the-server-cannot-check"))
                : Optional.empty();
    }

    static Optional<Reason> device(Circumstances c) {
        String because = c.stateReason().isBlank() ? "" : " (" + c.stateReason() + ")";
        return switch (c.state()) {
            case REGISTERED ->
                Optional.of(Reason.bars(
                        "NEVER_ENROLLED",
                        "It is registered and has never had a certificate.",
                        "enrol it: holdfast device token " + c.device(),
                        "states-of-a-certificate"));
            case SUSPENDED ->
                Optional.of(Reason.bars(
                        "DEVICE_SUSPENDED",
                        "It is suspended" + because + ": its identity is in doubt, and its certificates are on hold.",
                        "find out whether its key is in one place; then holdfast device reinstate " + c.device(),
                        "held"));
            case RETIRED ->
                Optional.of(Reason.bars(
                        "DEVICE_RETIRED",
                        "It is retired" + because + ", which is for ever.",
                        "register a new device, with a key of its own",
                        "states-of-a-certificate"));
            case QUARANTINED ->
                Optional.of(Reason.note(
                        "DEVICE_QUARANTINED",
                        "It is quarantined" + because + ": it may connect, and reaches only what heals it.",
                        "look at its incident; holdfast incident list --device " + c.device(),
                        "quarantined"));
            case ENROLLED, ACTIVE -> Optional.empty();
        };
    }

    static Optional<Reason> certificates(Circumstances c) {
        if (c.state() == Lifecycle.REGISTERED || c.state() == Lifecycle.RETIRED) {
            return Optional.empty(); // said already
        }
        Optional<IssuedCertificate> present = Diagnosis.present(c);
        if (present.isEmpty()) {
            return none(c);
        }
        IssuedCertificate one = present.get();
        if (Diagnosis.ended(one, c.now())) {
            return expired(c, one);
        }
        if (one.held()) {
            return Optional.of(Reason.bars(
                    "CERTIFICATE_HELD",
                    "Its certificate " + one.serial() + " is on hold.",
                    "holdfast device reinstate " + c.device(),
                    "held"));
        }
        if (c.now().isBefore(one.notBefore())) {
            return Optional.of(Reason.bars(
                    "CERTIFICATE_NOT_YET_VALID",
                    "Its certificate begins " + one.notBefore() + ", which has not come here.",
                    "compare this server's clock with a good one",
                    "clocks"));
        }
        return pending(c, one);
    }

    /// A successor that was never used: the device asked, and did not get or keep the answer; or one that is
    /// late.
    private static Optional<Reason> pending(Circumstances c, IssuedCertificate newest) {
        boolean older = c.certificates().stream().anyMatch(o -> o.state() == CertificateState.CURRENT);
        if (newest.state() == CertificateState.PENDING && older) {
            return Optional.of(Reason.note(
                    "SUCCESSOR_NOT_USED",
                    "Its new certificate " + newest.serial() + ", issued "
                            + newest.issuedAt().map(Instant::toString).orElse("")
                            + ", has not been used; the one before it still counts.",
                    "nothing, if it is about to; else look whether the device stored the answer to its request",
                    "rotation"));
        }
        return newest.renewAt()
                .filter(due -> c.now().isAfter(due))
                .map(due -> Reason.note(
                        "RENEWAL_OVERDUE",
                        "Its renewal was due " + due + " and it has not asked; its certificate ends "
                                + newest.notAfter() + ".",
                        "look whether its client renews at all; holdfast cert rotate " + c.device() + " tells it again",
                        "rotation"));
    }

    private static Optional<Reason> expired(Circumstances c, IssuedCertificate one) {
        Instant byItself = one.notAfter().plus(c.renewableAfterExpiry());
        Instant late = byItself.plus(c.lateWindow());
        String sentence = "Its certificate " + one.serial() + " ended " + one.notAfter() + ".";
        if (!c.now().isAfter(byItself)) {
            return Optional.of(Reason.bars(
                    "CERTIFICATE_EXPIRED",
                    sentence + " It may still renew by itself until " + byItself + ".",
                    "let it renew (EST simplereenroll); if it does not try, look why its client stopped",
                    "expired"));
        }
        if (!c.now().isAfter(late)) {
            return Optional.of(Reason.bars(
                    "CERTIFICATE_EXPIRED",
                    sentence + " Until " + late
                            + " it may renew when a person approves; with a TPM it may attest and enrol anew.",
                    "when it has asked: holdfast cert request list, then approve",
                    "expired"));
        }
        return Optional.of(Reason.bars(
                "CERTIFICATE_EXPIRED",
                sentence + " The time in which it could renew by itself is over.",
                "enrol it again: holdfast device token " + c.device() + "; a longer window for the others is"
                        + " rotation.lateWindow of the profile",
                "expired"));
    }

    private static Optional<Reason> none(Circumstances c) {
        Optional<IssuedCertificate> last = c.certificates().stream()
                .filter(one -> one.state() != CertificateState.INTENDED)
                .findFirst();
        if (last.isEmpty()) {
            return Optional.of(Reason.bars(
                    "NO_CERTIFICATE",
                    "It has no certificate.",
                    "enrol it: holdfast device token " + c.device(),
                    "states-of-a-certificate"));
        }
        String since = last.get().endedAt().map(at -> " since " + at).orElse("");
        return Optional.of(
                last.get().state() == CertificateState.REVOKED
                        ? Reason.bars(
                                "CERTIFICATE_REVOKED",
                                "Its last certificate " + last.get().serial() + " is revoked" + since + " ("
                                        + last.get()
                                                .reason()
                                                .map(RevocationReason::text)
                                                .orElse("unspecified")
                                        + ").",
                                "enrol it again with a new key: holdfast device token " + c.device(),
                                "revoked")
                        : Reason.bars(
                                "CERTIFICATE_SUPERSEDED",
                                "All its certificates are superseded" + since + ".",
                                "enrol it again: holdfast device token " + c.device(),
                                "superseded"));
    }

    static Optional<Reason> waiting(Circumstances c) {
        return c.waitingRequest()
                .map(detail -> Reason.note(
                        "REQUEST_WAITS_FOR_A_PERSON",
                        "Its request for a certificate waits for a person: " + detail + ".",
                        "holdfast cert request list, then approve or refuse it",
                        "requests-that-wait"));
    }
}
