package dev.holdfast.identity;

import dev.holdfast.ca.ApprovedRequest;
import dev.holdfast.ca.CertificateProfile;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Decides whether a device gets a certificate. Pure: the same facts give the same decision, for every protocol.
final class EnrolmentPolicy {
    private static final Duration FROZEN_RETRY = Duration.ofMinutes(10);
    private static final Duration QUARANTINE_RETRY = Duration.ofMinutes(5);

    private EnrolmentPolicy() {}

    /// In this order, so that a stranger learns nothing about devices and an operator learns the nearest cause:
    /// 1. the credential: right, in time, not used up;
    /// 2. the device: known, and neither suspended nor retired;
    /// 3. the request: not for a CA, for this very device (RFC 7030 section 4.2.2: subject and alternative
    /// names of    a renewal are those of the certificate; absent ones mean unchanged), with a key that is
    /// nobody else's;
    /// 4. what holds it back for now: a freeze, or quarantine for those without an operational certificate.
    static EnrolmentDecision decide(
            EnrolmentFacts facts, CertificationRequest request, CertificateProfile profile, Instant now) {
        Optional<EnrolmentDecision> stopped =
                credential(facts, profile, now).or(() -> device(facts)).or(() -> request(facts, request));
        if (stopped.isPresent()) {
            return stopped.get();
        }
        DeviceRef device = facts.device().orElseThrow();
        if (facts.productionNotReady()) {
            return new EnrolmentDecision.Refuse(
                    EnrolmentRefusal.NOT_READY_FOR_PRODUCTION,
                    "production needs a public host name and an issuer under your own root; see the root ceremony");
        }
        if (facts.frozen()) {
            return new EnrolmentDecision.Hold(
                    FROZEN_RETRY, "nothing is issued until the restore from backup is settled");
        }
        boolean renewal = facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate;
        if (facts.state().orElseThrow() == Lifecycle.QUARANTINED && !renewal) {
            return new EnrolmentDecision.Hold(
                    QUARANTINE_RETRY, "the device is quarantined: it may renew its certificate, not enrol anew");
        }
        if (facts.repeatable().isPresent()) {
            return new EnrolmentDecision.Repeat(facts.repeatable().get());
        }
        String grantedBy = switch (facts.proof()) {
            case EnrolmentFacts.Proof.ByToken _ -> "token";
            case EnrolmentFacts.Proof.ByManufacturer _ -> "manufacturer";
            case EnrolmentFacts.Proof.ByCertificate _ -> "renewal";
        };
        return new EnrolmentDecision.Grant(new ApprovedRequest(
                device.environment(),
                Optional.of(device),
                device.id().value(),
                List.of(alternativeName(device)),
                request.publicKeyInfo(),
                profile,
                grantedBy));
    }

    /// The SAN that every device certificate has: the name alone does not say which environment it is of.
    static String alternativeName(DeviceRef device) {
        return "URI:urn:holdfast:device:" + device.environment() + ":" + device.id();
    }

    private static Optional<EnrolmentDecision> credential(
            EnrolmentFacts facts, CertificateProfile profile, Instant now) {
        return switch (facts.proof()) {
            case EnrolmentFacts.Proof.ByToken by -> token(facts, by.token(), now);
            case EnrolmentFacts.Proof.ByManufacturer by ->
                validity(by.notBefore(), by.notAfter(), Duration.ZERO, now)
                        .or(() -> facts.device().isPresent()
                                ? Optional.empty()
                                : refuse(
                                        EnrolmentRefusal.MANUFACTURER_SERIAL_NOT_REGISTERED,
                                        "the manufacturer is known, this product serial is not; register it first"));
            case EnrolmentFacts.Proof.ByCertificate by ->
                certificate(by.state())
                        .or(() -> validity(by.notBefore(), by.notAfter(), profile.renewableAfterExpiry(), now));
        };
    }

    private static Optional<EnrolmentDecision> token(
            EnrolmentFacts facts, Optional<EnrolmentStore.Token> found, Instant now) {
        if (found.isEmpty()) {
            return refuse(EnrolmentRefusal.TOKEN_WRONG, "no such token for this device");
        }
        EnrolmentStore.Token token = found.get();
        if (token.withdrawn()) {
            return refuse(EnrolmentRefusal.TOKEN_WITHDRAWN, "the token was withdrawn");
        }
        Optional<Serial> used = token.usedSerial();
        if (used.isPresent() && !used.equals(facts.repeatable())) {
            return refuse(
                    EnrolmentRefusal.TOKEN_ALREADY_USED,
                    "the token has given a certificate already; ask for a new token");
        }
        return now.isAfter(token.expiresAt())
                ? refuse(EnrolmentRefusal.TOKEN_EXPIRED, "the token expired " + token.expiresAt())
                : Optional.empty();
    }

    private static Optional<EnrolmentDecision> certificate(Optional<CertificateState> state) {
        if (state.isEmpty()) {
            return refuse(EnrolmentRefusal.CERTIFICATE_UNKNOWN, "no such certificate was issued here");
        }
        return switch (state.get()) {
            case PENDING, CURRENT -> Optional.empty();
            case INTENDED -> refuse(EnrolmentRefusal.CERTIFICATE_UNKNOWN, "it is not issued yet");
            case SUPERSEDED -> refuse(EnrolmentRefusal.CERTIFICATE_SUPERSEDED, "its successor has been used already");
            case REVOKED -> refuse(EnrolmentRefusal.CERTIFICATE_REVOKED, "the certificate was revoked");
        };
    }

    private static Optional<EnrolmentDecision> validity(Instant from, Instant to, Duration grace, Instant now) {
        if (now.isBefore(from)) {
            return refuse(EnrolmentRefusal.CERTIFICATE_NOT_YET_VALID, "the client certificate begins " + from);
        }
        return now.isAfter(to.plus(grace))
                ? refuse(EnrolmentRefusal.CERTIFICATE_EXPIRED, "the client certificate ended " + to)
                : Optional.empty();
    }

    private static Optional<EnrolmentDecision> device(EnrolmentFacts facts) {
        if (facts.device().isEmpty() || facts.state().isEmpty()) {
            return refuse(EnrolmentRefusal.DEVICE_UNKNOWN, "no such device");
        }
        return switch (facts.state().get()) {
            case REGISTERED, ENROLLED, ACTIVE, QUARANTINED ->
                facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate by && by.held()
                        ? refuse(EnrolmentRefusal.DEVICE_SUSPENDED, "the certificate is on hold")
                        : Optional.empty();
            case SUSPENDED -> refuse(EnrolmentRefusal.DEVICE_SUSPENDED, "the device is suspended");
            case RETIRED -> refuse(EnrolmentRefusal.DEVICE_RETIRED, "the device is retired");
        };
    }

    private static Optional<EnrolmentDecision> request(EnrolmentFacts facts, CertificationRequest request) {
        DeviceRef device = facts.device().orElseThrow();
        if (request.wantsToBeCa()) {
            return refuse(EnrolmentRefusal.REQUEST_WANTS_A_CA, "the request asks for a CA certificate");
        }
        if (!request.subjectIsEmpty()
                && !names(facts).contains(request.commonName().orElse(""))) {
            return refuse(
                    EnrolmentRefusal.SUBJECT_IS_NOT_THE_DEVICE,
                    "the request's subject is not CN=" + device.id() + "; leave it empty or use that");
        }
        Set<String> wanted = new HashSet<>(request.alternativeNames());
        if (!wanted.isEmpty() && !wanted.equals(Set.of(alternativeName(device)))) {
            return refuse(
                    EnrolmentRefusal.ALTERNATIVE_NAMES_DIFFER,
                    "the request's alternative names are not those of the device; leave them out or use "
                            + alternativeName(device));
        }
        if (facts.keyOwner().isPresent() && !facts.keyOwner().get().equals(device)) {
            return refuse(
                    EnrolmentRefusal.KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE,
                    "another device has this key; make a new one on this device");
        }
        if (facts.keyRevoked()) {
            return refuse(
                    EnrolmentRefusal.KEY_OF_A_REVOKED_CERTIFICATE,
                    "a certificate of this key was revoked; make a new key");
        }
        return Optional.empty();
    }

    /// The common names that a request of this device may have.
    private static Set<String> names(EnrolmentFacts facts) {
        Set<String> names = new HashSet<>();
        facts.device().ifPresent(device -> names.add(device.id().value()));
        if (facts.proof() instanceof EnrolmentFacts.Proof.ByManufacturer by) {
            names.addAll(by.names());
        }
        return names;
    }

    private static Optional<EnrolmentDecision> refuse(EnrolmentRefusal reason, String detail) {
        return Optional.of(new EnrolmentDecision.Refuse(reason, detail));
    }
}
