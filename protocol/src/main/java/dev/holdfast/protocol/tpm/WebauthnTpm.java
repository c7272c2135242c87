package dev.holdfast.protocol.tpm;

import java.security.MessageDigest;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;

/// The attestation statement format `tpm` (WebAuthn level 2 section 8.3), as ACME's device-attest-01 uses
/// it: an attestation key, itself certified, says that the key in `pubArea` is in its TPM and signs a
/// challenge along.
///
/// @param key that was certified: the request's key must be this one
/// @param attestationKey whose certificate led to an anchor
public record WebauthnTpm(TpmPublic key, EkCertificate attestationKey) {

    /// Why a statement is not believed.
    public enum Fault {
        MALFORMED,
        WRONG_MAGIC,
        WRONG_TYPE,
        ATTESTATION_KEY_NOT_TRUSTED,
        SIGNATURE_WRONG,
        CHALLENGE_DIFFERS,
        ANOTHER_KEY_IS_CERTIFIED,
        KEY_NOT_BOUND_TO_THE_TPM
    }

    /// The statement proves nothing.
    public static final class NotBelieved extends Exception {
        private static final long serialVersionUID = 1L;
        private final Fault fault;

        NotBelieved(Fault fault, String message) {
            super(message);
            this.fault = fault;
        }

        public Fault fault() {
            return fault;
        }
    }

    /// 1. `pubArea` and `certInfo` are read; magic and type must be right.
    /// 2. The attestation key's certificate: version 3, not a CA's, tcg-kp-AIKCertificate, leads to an
    ///    anchor.
    /// 3. Its signature over `certInfo`. 4. `extraData` is the digest that was asked for.
    /// 5. The name in it is that of `pubArea`. 6. That key can't leave its TPM and was made there.
    ///
    /// @param signature TPMT_SIGNATURE
    /// @param extraData what `certInfo` must carry: for device-attest-01 the digest, by the signature's
    ///     hash, of what the draft says is to be signed
    public static WebauthnTpm verify(
            byte[] pubArea,
            byte[] certInfo,
            byte[] signature,
            List<X509Certificate> chain,
            byte[] extraData,
            Collection<X509Certificate> anchors,
            Instant now)
            throws NotBelieved {
        TpmPublic key;
        TpmCertification certification;
        TpmSignature signed;
        try {
            key = TpmPublic.parse(pubArea);
            certification = TpmCertification.parse(certInfo);
            signed = TpmSignature.parse(signature);
        } catch (TpmFormatException e) {
            Fault fault = switch (e.reason()) {
                case MALFORMED, NOT_SUPPORTED -> Fault.MALFORMED;
                case WRONG_MAGIC -> Fault.WRONG_MAGIC;
                case WRONG_TYPE -> Fault.WRONG_TYPE;
            };
            throw new NotBelieved(fault, String.valueOf(e.getMessage()));
        }
        if (chain.isEmpty()) {
            throw new NotBelieved(Fault.ATTESTATION_KEY_NOT_TRUSTED, "no certificate of the attestation key");
        }
        EkCertificate attestationKey;
        try {
            attestationKey =
                    EkCertificate.verifyAttestationKey(chain.getFirst(), chain.subList(1, chain.size()), anchors, now);
        } catch (EkCertificate.NotBelieved e) {
            throw new NotBelieved(Fault.ATTESTATION_KEY_NOT_TRUSTED, String.valueOf(e.getMessage()));
        }
        if (!signed.verifies(chain.getFirst().getPublicKey(), certInfo)) {
            throw new NotBelieved(Fault.SIGNATURE_WRONG, "not signed by the attestation key");
        }
        byte[] found = HexFormat.of().parseHex(certification.statement().extraData());
        if (!MessageDigest.isEqual(found, extraData)) {
            throw new NotBelieved(Fault.CHALLENGE_DIFFERS, "it was signed for another challenge");
        }
        if (!certification.name().equals(key.name())) {
            throw new NotBelieved(Fault.ANOTHER_KEY_IS_CERTIFIED, "the name in certInfo is not that of pubArea");
        }
        Set<TpmKeyFault> faults = TpmKeyFault.ofDeviceKey(key);
        if (!faults.isEmpty()) {
            throw new NotBelieved(Fault.KEY_NOT_BOUND_TO_THE_TPM, "the key is " + faults);
        }
        return new WebauthnTpm(key, attestationKey);
    }
}
