package dev.holdfast.identity;

import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Lifecycle;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// The first question of [EnrolmentPolicy]: whether the credential is right, in time and not used up. Pure.
final class CredentialRules {
    private CredentialRules() {}

    /// @return what stops the request; empty when the credential is good
    static Optional<EnrolmentDecision> check(EnrolmentFacts facts, Instant now) {
        return switch (facts.proof()) {
            case EnrolmentFacts.Proof.ByToken by -> token(facts, by.token(), now);
            case EnrolmentFacts.Proof.BySharedSecret by -> secret(facts, by.secret(), now);
            case EnrolmentFacts.Proof.ByAccount _ -> Optional.empty();
            case EnrolmentFacts.Proof.ByTpm by ->
                by.facts().faults().isEmpty()
                        ? Optional.empty()
                        : EnrolmentPolicy.refuse(
                                EnrolmentRefusal.TPM_NOT_BELIEVED,
                                by.facts().faults().getFirst().toString());
            case EnrolmentFacts.Proof.ByClaim by -> claim(facts, by.claim(), now);
            case EnrolmentFacts.Proof.ByManufacturer by ->
                validity(by.notBefore(), by.notAfter(), Duration.ZERO, now)
                        .or(() -> by.unregistered().isPresent()
                                ? EnrolmentPolicy.decided(
                                        facts,
                                        HeldRequests.Cause.UNREGISTERED_SERIAL,
                                        "nobody has registered the product with serial number "
                                                + by.unregistered()
                                                        .get()
                                                        .product()
                                                        .serial())
                                : Optional.empty())
                        .or(() -> facts.device().isPresent()
                                ? Optional.empty()
                                : EnrolmentPolicy.refuse(
                                        EnrolmentRefusal.MANUFACTURER_SERIAL_NOT_REGISTERED,
                                        "the manufacturer is known, this product serial is not; register it first"));
            case EnrolmentFacts.Proof.ByCertificate by ->
                certificate(by)
                        .or(() -> validity(
                                by.notBefore(),
                                by.notAfter(),
                                facts.profile()
                                        .map(p -> p.rotation()
                                                .renewableAfterExpiry()
                                                .plus(p.rotation().lateWindow()))
                                        .orElse(Duration.ZERO),
                                now));
        };
    }

    private static Optional<EnrolmentDecision> secret(
            EnrolmentFacts facts, Optional<SharedSecrets.Known> found, Instant now) {
        if (found.isEmpty()) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.SECRET_WRONG, "no such shared secret for this device");
        }
        SharedSecrets.Known secret = found.get();
        if (secret.withdrawn()) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.SECRET_WITHDRAWN, "the shared secret was withdrawn");
        }
        if (secret.usedBy().isPresent()
                && !secret.usedBy().equals(facts.repeatable().map(Serial::hex))) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.SECRET_ALREADY_USED,
                    "the shared secret has given a certificate or an account already; ask for a new one");
        }
        return now.isAfter(secret.expiresAt())
                ? EnrolmentPolicy.refuse(
                        EnrolmentRefusal.SECRET_EXPIRED, "the shared secret expired " + secret.expiresAt())
                : Optional.empty();
    }

    /// A claim gives one certificate to each device, while its batch is open; its answer may be fetched again
    /// as long as that certificate is unused. Who has an identity already does not get another by a secret that
    /// many share.
    private static Optional<EnrolmentDecision> claim(EnrolmentFacts facts, Optional<Claims.Claim> found, Instant now) {
        if (found.isEmpty()) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.CLAIM_UNKNOWN, "no batch has this claim certificate");
        }
        Claims.Batch batch = found.get().batch();
        if (batch.closedAt().isPresent()) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.CLAIM_CLOSED, "the batch was closed");
        }
        if (!now.isBefore(batch.expiresAt())) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.CLAIM_EXPIRED, "the batch expired " + batch.expiresAt());
        }
        if (found.get().claimed() && facts.repeatable().isPresent()) {
            return Optional.empty();
        }
        if (!found.get().member()
                || found.get().claimed()
                || !facts.state().equals(Optional.of(Lifecycle.REGISTERED))) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.CLAIM_NOT_FOR_THIS_DEVICE,
                    "the device is not one of this batch, or has claimed its certificate already");
        }
        return batch.used() >= batch.most()
                ? EnrolmentPolicy.refuse(
                        EnrolmentRefusal.CLAIM_USED_UP, "all " + batch.most() + " places of the batch are taken")
                : Optional.empty();
    }

    private static Optional<EnrolmentDecision> token(
            EnrolmentFacts facts, Optional<EnrolmentStore.Token> found, Instant now) {
        if (found.isEmpty()) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.TOKEN_WRONG, "no such token for this device");
        }
        EnrolmentStore.Token token = found.get();
        if (token.withdrawn()) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.TOKEN_WITHDRAWN, "the token was withdrawn");
        }
        Optional<Serial> used = token.usedSerial();
        if (used.isPresent() && !used.equals(facts.repeatable())) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.TOKEN_ALREADY_USED,
                    "the token has given a certificate already; ask for a new token");
        }
        return now.isAfter(token.expiresAt())
                ? EnrolmentPolicy.refuse(EnrolmentRefusal.TOKEN_EXPIRED, "the token expired " + token.expiresAt())
                : Optional.empty();
    }

    private static Optional<EnrolmentDecision> certificate(EnrolmentFacts.Proof.ByCertificate by) {
        if (by.state().isEmpty()) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.CERTIFICATE_UNKNOWN, "no such certificate was issued here");
        }
        return switch (by.state().get()) {
            case PENDING, CURRENT -> Optional.empty();
            case INTENDED -> EnrolmentPolicy.refuse(EnrolmentRefusal.CERTIFICATE_UNKNOWN, "it is not issued yet");
            case SUPERSEDED ->
                by.overlaps()
                        ? Optional.empty()
                        : EnrolmentPolicy.refuse(
                                EnrolmentRefusal.CERTIFICATE_SUPERSEDED, "its successor has been used already");
            case REVOKED -> EnrolmentPolicy.refuse(EnrolmentRefusal.CERTIFICATE_REVOKED, "the certificate was revoked");
        };
    }

    private static Optional<EnrolmentDecision> validity(Instant from, Instant to, Duration grace, Instant now) {
        if (now.isBefore(from)) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.CERTIFICATE_NOT_YET_VALID, "the client certificate begins " + from);
        }
        return now.isAfter(to.plus(grace))
                ? EnrolmentPolicy.refuse(EnrolmentRefusal.CERTIFICATE_EXPIRED, "the client certificate ended " + to)
                : Optional.empty();
    }
}
