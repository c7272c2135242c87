package dev.holdfast.identity;

import dev.holdfast.ca.ApprovedRequest;
import dev.holdfast.ca.CertificateProfile;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.KeyKind;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Decides whether a device gets a certificate. Pure: the same facts give the same decision, for every
/// protocol.
final class EnrolmentPolicy {
    private static final Duration FROZEN_RETRY = Duration.ofMinutes(10);
    private static final Duration QUARANTINE_RETRY = Duration.ofMinutes(5);
    private static final Duration PERSON_RETRY = Duration.ofMinutes(1);
    private static final String DNS = "DNS:";
    /// RFC 5280 appendix A.1: ub-common-name.
    private static final int LONGEST_COMMON_NAME = 64;

    private EnrolmentPolicy() {}

    /// In this order, so that a stranger learns nothing about devices and an operator learns the nearest cause:
    /// 1. the credential: right, in time, not used up, of a kind that the profile takes;
    /// 2. the device: known, and neither suspended nor retired;
    /// 3. the request: not for a CA, for this very device (RFC 7030 section 4.2.2: subject and alternative
    ///    names of a renewal are those of the certificate; absent ones mean unchanged), with a key that is
    ///    nobody else's and that the profile takes;
    /// 4. what the profile wants beside it: channel binding, attestation;
    /// 5. what holds it back for now: a freeze, quarantine for those without an operational certificate, a
    ///    person's decision.
    static EnrolmentDecision decide(
            EnrolmentFacts facts, CertificationRequest request, Applicant applicant, Instant now) {
        Optional<EnrolmentDecision> stopped = credential(facts, now)
                .or(() -> profile(facts, applicant))
                .or(() -> device(facts))
                .or(() -> request(facts, request))
                .or(() -> evidence(facts, applicant))
                .or(() -> heldBack(facts))
                .or(() -> person(facts, applicant, now));
        if (stopped.isPresent()) {
            return stopped.get();
        }
        if (facts.repeatable().isPresent()) {
            return new EnrolmentDecision.Repeat(facts.repeatable().get());
        }
        DeviceRef device = facts.device().orElseThrow();
        String grantedBy = facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate
                ? "renewal"
                : applicant.credential().text();
        return new EnrolmentDecision.Grant(new ApprovedRequest(
                device.environment(),
                Optional.of(device),
                commonName(facts, request),
                alternativeNames(facts, request),
                request.publicKeyInfo(),
                facts.profile().orElseThrow(),
                grantedBy));
    }

    /// The device's id; but a server's certificate that an account asks for by DNS names alone has the first of
    /// them, because programs take the common name for one more name to renew.
    private static String commonName(EnrolmentFacts facts, CertificationRequest request) {
        String id = facts.device().orElseThrow().id().value();
        boolean namesTheDevice = request.commonName().filter(id::equals).isPresent();
        return facts.proof() instanceof EnrolmentFacts.Proof.ByAccount && !namesTheDevice
                ? request.alternativeNames().stream()
                        .filter(name -> name.startsWith(DNS))
                        .map(name -> name.substring(DNS.length()))
                        .filter(name -> name.length() <= LONGEST_COMMON_NAME)
                        .sorted()
                        .findFirst()
                        .orElse(id)
                : id;
    }

    /// The SAN that every device certificate has: the name alone does not say which environment it is of.
    static String alternativeName(DeviceRef device) {
        return "URI:urn:holdfast:device:" + device.environment() + ":" + device.id();
    }

    /// The device's own name first, then the DNS names that were asked for, or had before, and that the profile
    /// allows.
    private static List<String> alternativeNames(EnrolmentFacts facts, CertificationRequest request) {
        String own = alternativeName(facts.device().orElseThrow());
        List<String> wanted =
                request.alternativeNames().isEmpty() && facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate by
                        ? by.alternativeNames()
                        : request.alternativeNames();
        return Stream.concat(
                        Stream.of(own),
                        wanted.stream()
                                .filter(name -> name.startsWith(DNS)
                                        && facts.profile()
                                                .orElseThrow()
                                                .admittance()
                                                .allowsDns(name.substring(DNS.length())))
                                .sorted())
                .distinct()
                .toList();
    }

    private static Optional<EnrolmentDecision> credential(EnrolmentFacts facts, Instant now) {
        return switch (facts.proof()) {
            case EnrolmentFacts.Proof.ByToken by -> token(facts, by.token(), now);
            case EnrolmentFacts.Proof.BySharedSecret by -> secret(facts, by.secret(), now);
            case EnrolmentFacts.Proof.ByAccount _ -> Optional.empty();
            case EnrolmentFacts.Proof.ByTpm by ->
                by.facts().faults().isEmpty()
                        ? Optional.empty()
                        : refuse(
                                EnrolmentRefusal.TPM_NOT_BELIEVED,
                                by.facts().faults().getFirst().toString());
            case EnrolmentFacts.Proof.ByClaim by -> claim(facts, by.claim(), now);
            case EnrolmentFacts.Proof.ByManufacturer by ->
                validity(by.notBefore(), by.notAfter(), Duration.ZERO, now)
                        .or(() -> by.unregistered().isPresent()
                                ? decided(
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
                                : refuse(
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

    private static Optional<EnrolmentDecision> profile(EnrolmentFacts facts, Applicant applicant) {
        if (facts.profile().isEmpty()) {
            return refuse(EnrolmentRefusal.PROFILE_UNKNOWN, "no certificate profile of that name");
        }
        CertificateProfile profile = facts.profile().get();
        if (facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate) {
            return applicant
                            .profile()
                            .filter(name -> !name.equals(profile.name()))
                            .isPresent()
                    ? refuse(
                            EnrolmentRefusal.PROFILE_IS_NOT_THE_CERTIFICATES,
                            "the certificate is of profile " + profile.name() + "; renew it by that, or name none")
                    : Optional.empty();
        }
        if (facts.proof() instanceof EnrolmentFacts.Proof.ByClaim
                && applicant
                        .profile()
                        .filter(name -> !name.equals(profile.name()))
                        .isPresent()) {
            return refuse(
                    EnrolmentRefusal.PROFILE_IS_NOT_THE_CERTIFICATES,
                    "the batch's certificates are of profile " + profile.name() + "; claim by that, or name none");
        }
        return applicant
                        .credential()
                        .kind()
                        .filter(kind -> !profile.admittance().credentials().contains(kind))
                        .isPresent()
                ? refuse(
                        EnrolmentRefusal.CREDENTIAL_NOT_ACCEPTED_BY_PROFILE,
                        "profile " + profile.name() + " does not take "
                                + applicant.credential().text())
                : Optional.empty();
    }

    /// What the profile wants to see beside the credential, of everybody and at every time.
    private static Optional<EnrolmentDecision> evidence(EnrolmentFacts facts, Applicant applicant) {
        CertificateProfile.Admittance wanted = facts.profile().orElseThrow().admittance();
        if (wanted.channelBound() && !applicant.channelBound()) {
            return refuse(
                    EnrolmentRefusal.CHANNEL_BINDING_NEEDED,
                    "the profile wants the request bound to this TLS channel (RFC 7030 section 3.5 with RFC 9266)");
        }
        if (facts.proof() instanceof EnrolmentFacts.Proof.ByTpm by) {
            return by.facts().software() && wanted.attestation() != CertificateProfile.Attestation.SOFTWARE_TPM
                    ? refuse(
                            EnrolmentRefusal.TPM_NOT_BELIEVED,
                            new TpmFacts.Found(
                                            TpmFault.SOFTWARE_TPM_NOT_ALLOWED,
                                            "nothing shows that it is a real TPM, and the profile does not say that a"
                                                    + " software TPM will do")
                                    .toString())
                    : Optional.empty();
        }
        return attested(wanted.attestation(), applicant.attested())
                ? Optional.empty()
                : refuse(
                        EnrolmentRefusal.ATTESTATION_NEEDED,
                        "the profile wants evidence that the key is in a "
                                + wanted.attestation().text());
    }

    private static boolean attested(CertificateProfile.Attestation wanted, CertificateProfile.Attestation seen) {
        return switch (wanted) {
            case NONE -> true;
            case MANUFACTURER ->
                seen == CertificateProfile.Attestation.MANUFACTURER || seen == CertificateProfile.Attestation.TPM;
            case TPM -> seen == CertificateProfile.Attestation.TPM;
            case SOFTWARE_TPM ->
                seen == CertificateProfile.Attestation.SOFTWARE_TPM || seen == CertificateProfile.Attestation.TPM;
        };
    }

    private static Optional<EnrolmentDecision> heldBack(EnrolmentFacts facts) {
        if (facts.productionNotReady()) {
            return refuse(
                    EnrolmentRefusal.NOT_READY_FOR_PRODUCTION,
                    "production needs a public host name and an issuer under your own root; see the root ceremony");
        }
        if (facts.frozen()) {
            return Optional.of(new EnrolmentDecision.Hold(
                    FROZEN_RETRY, "nothing is issued until the restore from backup is settled"));
        }
        boolean renewal = facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate;
        return facts.state().orElseThrow() == Lifecycle.QUARANTINED && !renewal
                ? Optional.of(new EnrolmentDecision.Hold(
                        QUARANTINE_RETRY, "the device is quarantined: it may renew its certificate, not enrol anew"))
                : Optional.empty();
    }

    /// Who has been granted this very key already is not asked about again.
    private static Optional<EnrolmentDecision> person(EnrolmentFacts facts, Applicant applicant, Instant now) {
        if (facts.repeatable().isPresent()) {
            return Optional.empty();
        }
        CertificateProfile profile = facts.profile().orElseThrow();
        if (facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate by) {
            boolean late = now.isAfter(by.notAfter().plus(profile.rotation().renewableAfterExpiry()));
            return late && applicant.attested() == CertificateProfile.Attestation.NONE
                    ? decided(facts, HeldRequests.Cause.LATE_RENEWAL, "its certificate ended " + by.notAfter())
                    : Optional.empty();
        }
        return profile.admittance().approval()
                ? decided(facts, HeldRequests.Cause.PROFILE, "a person decides about each certificate of this profile")
                : Optional.empty();
    }

    private static Optional<EnrolmentDecision> decided(EnrolmentFacts facts, HeldRequests.Cause cause, String why) {
        HeldRequests.State state = facts.decisions().getOrDefault(cause, HeldRequests.State.WAITING);
        return switch (state) {
            case APPROVED -> Optional.empty();
            case WAITING -> Optional.of(new EnrolmentDecision.HoldForPerson(cause, PERSON_RETRY, why));
            case REFUSED ->
                refuse(EnrolmentRefusal.REFUSED_BY_A_PERSON, "an operator has refused this request; ask them why");
        };
    }

    private static Optional<EnrolmentDecision> secret(
            EnrolmentFacts facts, Optional<SharedSecrets.Known> found, Instant now) {
        if (found.isEmpty()) {
            return refuse(EnrolmentRefusal.SECRET_WRONG, "no such shared secret for this device");
        }
        SharedSecrets.Known secret = found.get();
        if (secret.withdrawn()) {
            return refuse(EnrolmentRefusal.SECRET_WITHDRAWN, "the shared secret was withdrawn");
        }
        if (secret.usedBy().isPresent()
                && !secret.usedBy().equals(facts.repeatable().map(Serial::hex))) {
            return refuse(
                    EnrolmentRefusal.SECRET_ALREADY_USED,
                    "the shared secret has given a certificate or an account already; ask for a new one");
        }
        return now.isAfter(secret.expiresAt())
                ? refuse(EnrolmentRefusal.SECRET_EXPIRED, "the shared secret expired " + secret.expiresAt())
                : Optional.empty();
    }

    /// A claim gives one certificate to each device, while its batch is open; its answer may be fetched again
    /// as long as that certificate is unused. Who has an identity already does not get another by a secret that
    /// many share.
    private static Optional<EnrolmentDecision> claim(EnrolmentFacts facts, Optional<Claims.Claim> found, Instant now) {
        if (found.isEmpty()) {
            return refuse(EnrolmentRefusal.CLAIM_UNKNOWN, "no batch has this claim certificate");
        }
        Claims.Batch batch = found.get().batch();
        if (batch.closedAt().isPresent()) {
            return refuse(EnrolmentRefusal.CLAIM_CLOSED, "the batch was closed");
        }
        if (!now.isBefore(batch.expiresAt())) {
            return refuse(EnrolmentRefusal.CLAIM_EXPIRED, "the batch expired " + batch.expiresAt());
        }
        if (found.get().claimed() && facts.repeatable().isPresent()) {
            return Optional.empty();
        }
        if (!found.get().member()
                || found.get().claimed()
                || !facts.state().equals(Optional.of(Lifecycle.REGISTERED))) {
            return refuse(
                    EnrolmentRefusal.CLAIM_NOT_FOR_THIS_DEVICE,
                    "the device is not one of this batch, or has claimed its certificate already");
        }
        return batch.used() >= batch.most()
                ? refuse(EnrolmentRefusal.CLAIM_USED_UP, "all " + batch.most() + " places of the batch are taken")
                : Optional.empty();
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

    private static Optional<EnrolmentDecision> certificate(EnrolmentFacts.Proof.ByCertificate by) {
        if (by.state().isEmpty()) {
            return refuse(EnrolmentRefusal.CERTIFICATE_UNKNOWN, "no such certificate was issued here");
        }
        return switch (by.state().get()) {
            case PENDING, CURRENT -> Optional.empty();
            case INTENDED -> refuse(EnrolmentRefusal.CERTIFICATE_UNKNOWN, "it is not issued yet");
            case SUPERSEDED ->
                by.overlaps()
                        ? Optional.empty()
                        : refuse(EnrolmentRefusal.CERTIFICATE_SUPERSEDED, "its successor has been used already");
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
        boolean renewal = facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate;
        boolean same = (names(facts).contains(request.commonName().orElse("")) || isNamedByDns(facts, request))
                && (!renewal || request.subjectAttributes() == 1);
        if (!request.subjectIsEmpty() && !same) {
            return refuse(
                    EnrolmentRefusal.SUBJECT_IS_NOT_THE_DEVICE,
                    "the request's subject is not CN=" + device.id() + "; leave it empty or use that");
        }
        Optional<EnrolmentDecision> names = names(facts, request);
        if (names.isPresent()) {
            return names;
        }
        CertificateProfile profile = facts.profile().orElseThrow();
        if (request.serverGenerated() && !profile.keys().serverGenerated()) {
            return refuse(
                    EnrolmentRefusal.SERVER_KEY_NOT_OFFERED_BY_PROFILE,
                    "profile " + profile.name() + " has keys made on the device only");
        }
        if (!profile.keys().kinds().contains(request.keyKind())) {
            return refuse(
                    EnrolmentRefusal.KEY_NOT_ACCEPTED_BY_PROFILE,
                    "profile " + profile.name() + " takes "
                            + profile.keys().kinds().stream()
                                    .map(KeyKind::text)
                                    .sorted()
                                    .collect(Collectors.joining(", ")));
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

    /// None is unchanged. A renewal's are those of its certificate, whole; a first request's are the device's
    /// own, and DNS names that the profile allows.
    private static Optional<EnrolmentDecision> names(EnrolmentFacts facts, CertificationRequest request) {
        Set<String> wanted = new HashSet<>(request.alternativeNames());
        if (wanted.isEmpty()) {
            return Optional.empty();
        }
        String own = alternativeName(facts.device().orElseThrow());
        CertificateProfile profile = facts.profile().orElseThrow();
        boolean fit = facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate by
                ? wanted.equals(new HashSet<>(by.alternativeNames()))
                : wanted.stream()
                        .allMatch(name -> name.equals(own)
                                || (name.startsWith(DNS)
                                        && profile.admittance().allowsDns(name.substring(DNS.length()))));
        return fit
                ? Optional.empty()
                : refuse(
                        EnrolmentRefusal.ALTERNATIVE_NAMES_DIFFER,
                        "the request's alternative names are not those of the device; leave them out or use " + own);
    }

    /// An account's request may have one of its DNS names, which are looked at beside, as its common name.
    private static boolean isNamedByDns(EnrolmentFacts facts, CertificationRequest request) {
        return facts.proof() instanceof EnrolmentFacts.Proof.ByAccount
                && request.commonName()
                        .filter(name -> request.alternativeNames().contains(DNS + name))
                        .isPresent();
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
