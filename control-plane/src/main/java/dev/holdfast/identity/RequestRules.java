package dev.holdfast.identity;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.KeyKind;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// The third question of [EnrolmentPolicy]: whether the request is for this very device, with a key that is
/// nobody else's; and which names its certificate gets. Pure.
final class RequestRules {
    private static final String DNS = "DNS:";
    /// RFC 5280 appendix A.1: ub-common-name.
    private static final int LONGEST_COMMON_NAME = 64;

    private RequestRules() {}

    /// @return what stops the request; empty when it may be granted as it is
    static Optional<EnrolmentDecision> check(EnrolmentFacts facts, CertificationRequest request) {
        DeviceRef device = facts.device().orElseThrow();
        if (request.wantsToBeCa()) {
            return EnrolmentPolicy.refuse(EnrolmentRefusal.REQUEST_WANTS_A_CA, "the request asks for a CA certificate");
        }
        boolean renewal = facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate;
        boolean same = (names(facts).contains(request.commonName().orElse("")) || isNamedByDns(facts, request))
                && (!renewal || request.subjectAttributes() == 1);
        if (!request.subjectIsEmpty() && !same) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.SUBJECT_IS_NOT_THE_DEVICE,
                    "the request's subject is not CN=" + usual(facts) + "; leave it empty or use that");
        }
        Optional<EnrolmentDecision> names = names(facts, request);
        if (names.isPresent()) {
            return names;
        }
        CertificateProfile profile = facts.profile().orElseThrow();
        if (request.serverGenerated() && !profile.keys().serverGenerated()) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.SERVER_KEY_NOT_OFFERED_BY_PROFILE,
                    "profile " + profile.name() + " has keys made on the device only");
        }
        if (!profile.keys().kinds().contains(request.keyKind())) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.KEY_NOT_ACCEPTED_BY_PROFILE,
                    "profile " + profile.name() + " takes "
                            + profile.keys().kinds().stream()
                                    .map(KeyKind::text)
                                    .sorted()
                                    .collect(Collectors.joining(", ")));
        }
        if (facts.keyOwner().isPresent() && !facts.keyOwner().get().equals(device)) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE,
                    "another device has this key; make a new one on this device");
        }
        if (facts.keyOfABatch()) {
            return EnrolmentPolicy.refuse(
                    EnrolmentRefusal.KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE,
                    "it is the key of a claim certificate, which a whole batch has; make a new one on this device");
        }
        if (facts.keyRevoked()) {
            return EnrolmentPolicy.refuse(
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
                                        && profile.admittance().allowsDns(name.substring(DNS.length()), id(facts))));
        return fit
                ? Optional.empty()
                : EnrolmentPolicy.refuse(
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

    /// The common names that a request of this device may have; of a renewal its certificate's alone.
    private static Set<String> names(EnrolmentFacts facts) {
        Set<String> names = new HashSet<>();
        switch (facts.proof()) {
            case EnrolmentFacts.Proof.ByCertificate by -> by.commonName().ifPresent(names::add);
            case EnrolmentFacts.Proof.ByManufacturer by -> {
                names.add(id(facts));
                names.addAll(by.names());
            }
            case EnrolmentFacts.Proof.ByToken _,
                    EnrolmentFacts.Proof.BySharedSecret _,
                    EnrolmentFacts.Proof.ByAccount _,
                    EnrolmentFacts.Proof.ByTpm _,
                    EnrolmentFacts.Proof.ByClaim _ -> names.add(id(facts));
        }
        return names;
    }

    /// A renewal keeps its common name; one that is a DNS name only where the profile still allows it.
    private static String usual(EnrolmentFacts facts) {
        String id = id(facts);
        return facts.proof() instanceof EnrolmentFacts.Proof.ByCertificate by
                ? by.commonName()
                        .filter(name -> !by.alternativeNames().contains(DNS + name)
                                || facts.profile().orElseThrow().admittance().allowsDns(name, id))
                        .orElse(id)
                : id;
    }

    private static String id(EnrolmentFacts facts) {
        return facts.device().orElseThrow().id().value();
    }

    /// The device's id, and for a renewal what it was before; but a server's certificate that an account asks for by
    /// DNS names alone has the first of them, because programs take the common name for one more name to renew.
    static String commonName(EnrolmentFacts facts, CertificationRequest request) {
        String id = usual(facts);
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
    static List<String> alternativeNames(EnrolmentFacts facts, CertificationRequest request) {
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
                                                .allowsDns(name.substring(DNS.length()), id(facts)))
                                .sorted())
                .distinct()
                .toList();
    }
}
