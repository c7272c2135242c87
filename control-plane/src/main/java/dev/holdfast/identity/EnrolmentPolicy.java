package dev.holdfast.identity;

import dev.holdfast.ca.ApprovedRequest;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// Decides whether a device gets a certificate. Pure: the same facts give the same decision, for every
/// protocol.
final class EnrolmentPolicy {
    private static final Duration FROZEN_RETRY = Duration.ofMinutes(10);
    private static final Duration QUARANTINE_RETRY = Duration.ofMinutes(5);
    private static final Duration PERSON_RETRY = Duration.ofMinutes(1);

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
        Optional<EnrolmentDecision> stopped = CredentialRules.check(facts, now)
                .or(() -> profile(facts, applicant))
                .or(() -> device(facts))
                .or(() -> RequestRules.check(facts, request))
                .or(() -> evidence(facts, applicant))
                .or(() -> heldBack(facts))
                .or(() -> person(facts, now));
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
                RequestRules.commonName(facts, request),
                RequestRules.alternativeNames(facts, request),
                request.publicKeyInfo(),
                facts.profile().orElseThrow(),
                grantedBy));
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
    private static Optional<EnrolmentDecision> person(EnrolmentFacts facts, Instant now) {
        if (facts.repeatable().isPresent()) {
            return Optional.empty();
        }
        CertificateProfile profile = facts.profile().orElseThrow();
        if (facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate by) {
            boolean late = now.isAfter(by.notAfter().plus(profile.rotation().renewableAfterExpiry()));
            return late
                    ? decided(facts, HeldRequests.Cause.LATE_RENEWAL, "its certificate ended " + by.notAfter())
                    : Optional.empty();
        }
        return profile.admittance().approval()
                ? decided(facts, HeldRequests.Cause.PROFILE, "a person decides about each certificate of this profile")
                : Optional.empty();
    }

    /// What people have said of it; held until they have.
    static Optional<EnrolmentDecision> decided(EnrolmentFacts facts, HeldRequests.Cause cause, String why) {
        HeldRequests.State state = facts.decisions().getOrDefault(cause, HeldRequests.State.WAITING);
        return switch (state) {
            case APPROVED -> Optional.empty();
            case WAITING -> Optional.of(new EnrolmentDecision.HoldForPerson(cause, PERSON_RETRY, why));
            case REFUSED ->
                refuse(EnrolmentRefusal.REFUSED_BY_A_PERSON, "an operator has refused this request; ask them why");
        };
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

    static Optional<EnrolmentDecision> refuse(EnrolmentRefusal reason, String detail) {
        return Optional.of(new EnrolmentDecision.Refuse(reason, detail));
    }
}
