package dev.holdfast.protocol.manifest;

import com.amazon.corretto.crypto.provider.AmazonCorrettoCryptoProvider;
import dev.holdfast.protocol.manifest.ManifestException.Reason;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.SignatureException;
import java.security.interfaces.ECKey;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;

/// A manifest whose signature has been verified: there is no other way to get one.
///
/// @param keyId of the trusted key that signed it
/// @param envelope the bytes as they came, to be handed on unchanged
@SuppressWarnings("ArrayRecordComponent") // never compared
public record SignedManifest(Manifest manifest, String keyId, byte[] envelope) {
    /// An envelope longer than this is refused before it is parsed.
    public static final int MOST_OCTETS = 65_536;

    private static final String ALGORITHM = "SHA256withECDSA";
    private static final int P_256_BITS = 256;

    /// Signs a manifest; the result is the DSSE envelope's JSON.
    ///
    /// @param publicKey only for its key id
    public static byte[] sign(Manifest manifest, PrivateKey key, PublicKey publicKey) {
        byte[] payload = manifest.payload();
        try {
            Signature signer = signature();
            signer.initSign(key);
            signer.update(Envelope.preAuthenticationEncoding(Manifest.PAYLOAD_TYPE, payload));
            return new Envelope(
                            Manifest.PAYLOAD_TYPE,
                            payload,
                            List.of(new Envelope.SignatureLine(keyId(publicKey), signer.sign())))
                    .json();
        } catch (InvalidKeyException | SignatureException e) {
            throw new IllegalArgumentException("not an EC P-256 key", e);
        }
    }

    /// The octets to sign outside, with `openssl dgst -sha256 -sign key.pem` for instance.
    public static byte[] toBeSigned(Manifest manifest) {
        return Envelope.preAuthenticationEncoding(Manifest.PAYLOAD_TYPE, manifest.payload());
    }

    /// The envelope around a signature that was made outside over [#toBeSigned].
    public static byte[] envelope(Manifest manifest, byte[] derSignature, PublicKey publicKey) {
        return new Envelope(
                        Manifest.PAYLOAD_TYPE,
                        manifest.payload(),
                        List.of(new Envelope.SignatureLine(keyId(publicKey), derSignature)))
                .json();
    }

    /// 1. Bound the size. 2. Parse the envelope. 3. Require our payload type.
    /// 4. Verify each signature with each trusted key over the pre-authentication encoding (the key id is
    /// only a
    /// hint, so it does not choose the key); one good signature is enough.
    /// 5. Only then parse the payload.
    ///
    /// @throws ManifestException with the reason; the payload is not looked at unless its signature held
    public static SignedManifest verify(byte[] envelope, Collection<? extends PublicKey> trusted)
            throws ManifestException {
        if (envelope.length > MOST_OCTETS) {
            throw new ManifestException(Reason.TOO_LARGE, "longer than " + MOST_OCTETS + " octets");
        }
        Envelope parsed = Envelope.parse(envelope);
        if (!parsed.payloadType().equals(Manifest.PAYLOAD_TYPE)) {
            throw new ManifestException(Reason.UNKNOWN_PAYLOAD_TYPE, "not " + Manifest.PAYLOAD_TYPE);
        }
        byte[] signed = Envelope.preAuthenticationEncoding(parsed.payloadType(), parsed.payload());
        for (PublicKey key : trusted) {
            for (Envelope.SignatureLine line : parsed.signatures()) {
                if (holds(key, signed, line.value())) {
                    return new SignedManifest(Manifest.parse(parsed.payload()), keyId(key), envelope.clone());
                }
            }
        }
        throw new ManifestException(
                Reason.NO_SIGNATURE_BY_A_TRUSTED_KEY,
                "none of its " + parsed.signatures().size() + " signatures is by one of the " + trusted.size()
                        + " trusted keys");
    }

    /// SHA-256 of the key's SubjectPublicKeyInfo, in lower-case hexadecimal.
    public static String keyId(PublicKey key) {
        try {
            return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(key.getEncoded()));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }

    private static boolean holds(PublicKey key, byte[] signed, byte[] value) {
        if (!(key instanceof ECKey ec) || ec.getParams().getOrder().bitLength() != P_256_BITS) {
            return false;
        }
        try {
            Signature verifier = signature();
            verifier.initVerify(key);
            verifier.update(signed);
            return verifier.verify(value);
        } catch (InvalidKeyException | SignatureException notASignatureByThisKey) {
            return false;
        }
    }

    private static Signature signature() {
        try {
            return AmazonCorrettoCryptoProvider.INSTANCE.getLoadingError() == null
                    ? Signature.getInstance(ALGORITHM, AmazonCorrettoCryptoProvider.INSTANCE)
                    : Signature.getInstance(ALGORITHM);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(ALGORITHM + " is missing from this Java platform", e);
        }
    }
}
