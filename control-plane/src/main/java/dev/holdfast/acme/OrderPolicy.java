package dev.holdfast.acme;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeIdentifier;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.ChallengeType;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;

/// What an account may order, and how each identifier is to be proven. Pure. Whether a certificate is granted
/// in the end is not said here but by the enrolment policy.
final class OrderPolicy {
    private OrderPolicy() {}

    /// @param proven whether the account's binding to its device is proof enough
    /// @param challenges of which one is to be answered; empty when proven
    record Plan(AcmeIdentifier identifier, boolean proven, List<ChallengeType> challenges) {}

    /// In this order: 1. the device's own id and nobody else's, proven by the account's binding, or, where the
    /// profile wants it, by attestation; 2. DNS names that the profile's patterns allow, never a wildcard,
    /// which would let one gateway stand for all; each proven by the challenges that this server can look at.
    ///
    /// @param offered for DNS names, by this server's configuration
    /// @throws AcmeException `rejectedIdentifier`
    static List<Plan> plan(
            Collection<AcmeIdentifier> identifiers,
            DeviceRef device,
            CertificateProfile profile,
            Set<ChallengeType> offered)
            throws AcmeException {
        List<Plan> plans = new ArrayList<>();
        for (AcmeIdentifier identifier : identifiers) {
            plans.add(
                    switch (identifier.type()) {
                        case PERMANENT_IDENTIFIER -> device(identifier, device, profile);
                        case DNS -> dns(identifier, device, profile, offered);
                    });
        }
        return plans;
    }

    private static Plan device(AcmeIdentifier identifier, DeviceRef device, CertificateProfile profile)
            throws AcmeException {
        if (!identifier.value().equals(device.id().value())) {
            throw rejected("the account is bound to another device; order its own id");
        }
        return switch (profile.admittance().attestation()) {
            case NONE -> new Plan(identifier, true, List.of());
            case MANUFACTURER, TPM, SOFTWARE_TPM ->
                new Plan(identifier, false, List.of(ChallengeType.DEVICE_ATTEST_01));
        };
    }

    private static Plan dns(
            AcmeIdentifier identifier, DeviceRef device, CertificateProfile profile, Set<ChallengeType> offered)
            throws AcmeException {
        if (identifier.isWildcard()) {
            throw rejected("no wildcards: one gateway would stand for all");
        }
        if (!profile.admittance().allowsDns(identifier.value(), device.id().value())) {
            throw rejected("the profile's patterns of DNS names do not allow it");
        }
        if (offered.isEmpty()) {
            throw rejected(
                    "this server has no way to look at DNS names' challenges; see acme.networks and acme.resolver");
        }
        return new Plan(identifier, false, offered.stream().sorted().toList());
    }

    private static AcmeException rejected(String detail) {
        return new AcmeException(AcmeProblem.REJECTED_IDENTIFIER, detail);
    }
}
