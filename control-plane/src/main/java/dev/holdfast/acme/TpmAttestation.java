package dev.holdfast.acme;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.Manufacturers;
import dev.holdfast.profiles.CertificateProfile.Attestation;
import dev.holdfast.protocol.acme.AcmeException;
import dev.holdfast.protocol.acme.AcmeProblem;
import dev.holdfast.protocol.acme.AttestationObject;
import dev.holdfast.protocol.acme.ChallengeType;
import dev.holdfast.protocol.tpm.WebauthnTpm;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.List;

/// Format `tpm`: an attestation key, certified under a registered manufacturer for a product that is this
/// device, says that the key of the request is in its TPM.
final class TpmAttestation implements AttestationVerifier {
    private final Manufacturers manufacturers;
    private final InstantSource clock;

    TpmAttestation(Manufacturers manufacturers, InstantSource clock) {
        this.manufacturers = manufacturers;
        this.clock = clock;
    }

    /// What the TPM has signed along is the SHA-256 of the key authorization.
    @Override
    public Evidence verify(AttestationObject object, String keyAuthorization, DeviceRef device) throws AcmeException {
        AttestationObject.Statement statement = object.statement();
        if (!statement.version().map("2.0"::equals).orElse(false)) {
            throw bad("the statement is not of version 2.0");
        }
        List<X509Certificate> anchors = manufacturers.anchors().stream()
                .filter(anchor -> anchor.environment().equals(device.environment()))
                .map(Manufacturers.Anchor::certificate)
                .toList();
        WebauthnTpm believed;
        try {
            believed = WebauthnTpm.verify(
                    statement.pubArea().orElseThrow(() -> bad("the statement has no 'pubArea'")),
                    statement.certInfo().orElseThrow(() -> bad("the statement has no 'certInfo'")),
                    statement.signature(),
                    statement.chain(),
                    ChallengeType.digest(keyAuthorization),
                    anchors,
                    clock.instant());
        } catch (WebauthnTpm.NotBelieved e) {
            throw bad(String.valueOf(e.getMessage()));
        }
        ManufacturerAttestation.checkAbout(manufacturers, statement.chain(), device, clock.instant());
        return new Evidence(
                believed.key().fingerprint(),
                believed.attestationKey().isSoftware() ? Attestation.SOFTWARE_TPM : Attestation.TPM);
    }

    private static AcmeException bad(String detail) {
        return new AcmeException(AcmeProblem.BAD_ATTESTATION_STATEMENT, detail);
    }
}
