package dev.holdfast.identity;

import dev.holdfast.ca.Ca;
import dev.holdfast.ca.Issuance;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Transaction;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.Profiles;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// Finds out what there is to know of a request and its credential, and locks what the decision relies on.
final class EnrolmentInquiry {
    private final Inventory inventory;
    private final Ca ca;
    private final EnrolmentTokens tokens;
    private final SharedSecrets secrets;
    private final HeldRequests held;
    private final Manufacturers manufacturers;
    private final Claims claims;
    private final Freeze freeze;
    private final Environment environment;

    EnrolmentInquiry(
            Inventory inventory,
            Ca ca,
            EnrolmentTokens tokens,
            SharedSecrets secrets,
            HeldRequests held,
            Manufacturers manufacturers,
            Claims claims,
            Freeze freeze,
            Environment environment) {
        this.inventory = inventory;
        this.ca = ca;
        this.tokens = tokens;
        this.secrets = secrets;
        this.held = held;
        this.manufacturers = manufacturers;
        this.claims = claims;
        this.freeze = freeze;
        this.environment = environment;
    }

    /// In the transaction that acts on the decision.
    EnrolmentFacts facts(Transaction tx, CertificationRequest request, Applicant applicant) {
        Shown shown = shown(tx, applicant.credential());
        Optional<DeviceRef> named = shown.device();
        Optional<Device> device = named.flatMap(d -> inventory.lock(tx, d));
        String profile = shown.profile().or(applicant::profile).orElse(Profiles.DEVICE);
        String about = HeldRequests.about(request, profile);
        Optional<CertificateProfile> by = ca.profiles().find(environment, profile);
        // A decision that is not known counts as none yet: whoever is not asked about has nothing to gain by it.
        boolean decidedByPeople = shown.proof() instanceof EnrolmentFacts.Proof.ByCertificate
                || by.filter(p -> p.admittance().approval()).isPresent();
        Map<HeldRequests.Cause, HeldRequests.State> decisions = named.filter(_ -> decidedByPeople)
                .map(d -> held.decisions(tx, d, about))
                .orElseGet(() -> new EnumMap<>(HeldRequests.Cause.class));
        EnrolmentFacts.unregistered(shown.proof())
                .flatMap(u -> held.decision(tx, environment, "", u.key(), HeldRequests.Cause.UNREGISTERED_SERIAL))
                .ifPresent(state -> decisions.put(HeldRequests.Cause.UNREGISTERED_SERIAL, state));
        Issuance.KnownKey known = ca.issuance().knownKey(tx, request.publicKeyInfo(), named);
        boolean registersItself = shown.proof() instanceof EnrolmentFacts.Proof.ByClaim claimed
                && claimed.claim().isPresent();
        return new EnrolmentFacts(
                named,
                device.map(Device::state)
                        .or(() -> registersItself ? Optional.of(Lifecycle.REGISTERED) : Optional.empty()),
                shown.proof(),
                by,
                about,
                HeldRequests.inWords(request, profile),
                known.owner(),
                claims.isKeyOfABatch(request.publicKeyInfo()),
                known.revoked(),
                known.repeatable(),
                decisions,
                freeze.isFrozen(),
                environment.value().equals("production")
                        && ca.authorities().devices(environment).orElseThrow().development());
    }

    /// What is known of a credential: whom it names, what it proves, and for a renewal by which profile it was
    /// granted.
    private record Shown(Optional<DeviceRef> device, EnrolmentFacts.Proof proof, Optional<String> profile) {
        Shown(Optional<DeviceRef> device, EnrolmentFacts.Proof proof) {
            this(device, proof, Optional.empty());
        }
    }

    /// A product under an anchor whose unknown ones a person decides about.
    private Optional<EnrolmentFacts.Unregistered> unregistered(Credential.Manufacturer by, Optional<String> serial) {
        boolean held = manufacturers.anchors().stream()
                .anyMatch(a -> a.id().equals(by.anchor())
                        && a.environment().equals(environment)
                        && a.unregistered() == Manufacturers.Unregistered.HELD);
        return serial.filter(s -> held && Manufacturers.isProduct(s))
                .map(s -> new EnrolmentFacts.Unregistered(
                        new HeldRequests.Product(by.anchor(), s),
                        Certificates.keyFingerprint(by.leaf().getPublicKey().getEncoded())));
    }

    private Shown shown(Transaction tx, Credential credential) {
        return switch (credential) {
            case Credential.Token token -> {
                DeviceRef device = new DeviceRef(environment, token.device());
                yield new Shown(
                        Optional.of(device), new EnrolmentFacts.Proof.ByToken(tokens.find(tx, device, token.secret())));
            }
            case Credential.SharedSecret by -> {
                DeviceRef device = new DeviceRef(environment, by.device());
                yield new Shown(
                        Optional.of(device),
                        new EnrolmentFacts.Proof.BySharedSecret(secrets.lock(tx, by.secretId())
                                .filter(known -> known.device().equals(device))));
            }
            case Credential.Account by ->
                new Shown(
                        Optional.of(new DeviceRef(environment, by.device())),
                        new EnrolmentFacts.Proof.ByAccount(by.account()));
            case Credential.Tpm by -> {
                DeviceRef device = new DeviceRef(environment, by.device());
                yield new Shown(
                        Optional.of(device),
                        new EnrolmentFacts.Proof.ByTpm(by.evidence().appraise(tx, device)));
            }
            case Credential.Claim by -> {
                DeviceRef device = new DeviceRef(environment, by.device());
                Optional<Claims.Claim> claim = claims.lock(tx, by.leaf(), device);
                yield new Shown(
                        Optional.of(device),
                        new EnrolmentFacts.Proof.ByClaim(claim),
                        claim.map(c -> c.batch().profile()));
            }
            case Credential.Manufacturer by -> {
                List<String> names = new ArrayList<>();
                Certificates.commonName(by.leaf()).ifPresent(names::add);
                Optional<String> product = Certificates.productSerial(by.leaf());
                product.ifPresent(names::add);
                Optional<String> serial = product.or(() -> Certificates.commonName(by.leaf()));
                Optional<DeviceRef> device = serial.flatMap(s -> manufacturers.deviceOf(tx, by.anchor(), s));
                yield new Shown(
                        device,
                        new EnrolmentFacts.Proof.ByManufacturer(
                                by.leaf().getNotBefore().toInstant(),
                                by.leaf().getNotAfter().toInstant(),
                                names,
                                device.isPresent() ? Optional.empty() : unregistered(by, serial)));
            }
            case Credential.Operational by -> {
                Optional<IssuedCertificate> found = ca.issuance()
                        .lock(tx, Serial.of(by.leaf().getSerialNumber()))
                        .filter(c -> isVery(c, by.leaf()));
                yield new Shown(
                        found.flatMap(IssuedCertificate::device),
                        new EnrolmentFacts.Proof.ByCertificate(
                                by.leaf().getNotBefore().toInstant(),
                                by.leaf().getNotAfter().toInstant(),
                                found.map(IssuedCertificate::state),
                                found.map(IssuedCertificate::held).orElse(false),
                                found.filter(c -> c.overlaps(tx.now())).isPresent(),
                                found.map(IssuedCertificate::name),
                                found.map(IssuedCertificate::alternativeNames).orElse(List.of())),
                        found.map(IssuedCertificate::profile));
            }
        };
    }

    /// Whether it is the very certificate that was issued: an issuing key in other hands can sign others under
    /// a serial of ours.
    private static boolean isVery(IssuedCertificate issued, X509Certificate shown) {
        return issued.der()
                .filter(der -> Arrays.equals(der, Certificates.der(shown)))
                .isPresent();
    }
}
