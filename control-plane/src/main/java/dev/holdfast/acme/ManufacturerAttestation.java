package dev.holdfast.acme;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.Manufacturers;
import dev.holdfast.profiles.CertificateProfile.Attestation;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.AttestationObject;
import dev.holdfast.protocol.acme.PackedStatement;
import dev.holdfast.protocol.x509.Certificates;
import java.security.GeneralSecurityException;
import java.security.cert.CertPath;
import java.security.cert.CertPathValidator;
import java.security.cert.CertificateFactory;
import java.security.cert.PKIXParameters;
import java.security.cert.TrustAnchor;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/// Format `packed`: the key that the manufacturer put into the device, under a registered anchor and with a
/// registered product serial, vouches for the key of the request.
final class ManufacturerAttestation implements AttestationVerifier {
    private final Manufacturers manufacturers;
    private final InstantSource clock;

    ManufacturerAttestation(Manufacturers manufacturers, InstantSource clock) {
        this.manufacturers = manufacturers;
        this.clock = clock;
    }

    @Override
    public Evidence verify(AttestationObject object, String keyAuthorization, DeviceRef device) throws AcmeException {
        PackedStatement statement = PackedStatement.verify(object, keyAuthorization);
        checkAbout(manufacturers, statement.chain(), device, clock.instant());
        return new Evidence(statement.keyFingerprint(), Attestation.MANUFACTURER);
    }

    /// Returns when the chain leads to a registered manufacturer of this environment and its product is this
    /// device.
    static void checkAbout(Manufacturers manufacturers, List<X509Certificate> chain, DeviceRef device, Instant now)
            throws AcmeException {
        X509Certificate leaf = chain.getFirst();
        Optional<DeviceRef> about = manufacturers.anchors().stream()
                .filter(anchor -> anchor.environment().equals(device.environment()))
                .filter(anchor -> leadsTo(chain, anchor.certificate(), now))
                .findFirst()
                .flatMap(anchor -> Certificates.productSerial(leaf)
                        .or(() -> Certificates.commonName(leaf))
                        .flatMap(serial -> manufacturers.deviceOf(anchor.id(), serial)));
        if (!about.equals(Optional.of(device))) {
            throw new AcmeException(
                    AcmeProblem.BAD_ATTESTATION_STATEMENT,
                    "the attestation certificate is not that of this device under a registered manufacturer");
        }
    }

    /// RFC 5280 section 6, at this time.
    private static boolean leadsTo(List<X509Certificate> chain, X509Certificate anchor, Instant now) {
        try {
            List<X509Certificate> path = new ArrayList<>(chain);
            path.removeIf(anchor::equals);
            CertPath certificates = CertificateFactory.getInstance("X.509").generateCertPath(path);
            PKIXParameters parameters = new PKIXParameters(Set.of(new TrustAnchor(anchor, null)));
            parameters.setRevocationEnabled(false);
            parameters.setDate(Date.from(now));
            CertPathValidator.getInstance("PKIX").validate(certificates, parameters);
            return !path.isEmpty();
        } catch (GeneralSecurityException doesNot) {
            return false;
        }
    }
}
