package dev.holdfast.protocol.acme;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.crypto.impl.ECDSA;
import com.nimbusds.jose.jwk.AsymmetricJWK;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.JWK;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.text.ParseException;
import java.util.Arrays;
import java.util.List;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// The public key of an ACME account: P-256, P-384, Ed25519, or RSA of 2048 to 4096 bits, each with exactly one
/// signature algorithm (RFC 7518 section 3.1, RFC 8037), so that a message can't choose a weaker one.
public final class AcmeKey {
    /// What a `badSignatureAlgorithm` problem names (RFC 8555 section 6.2).
    public static final List<String> ALGORITHMS = List.of("ES256", "ES384", "EdDSA", "RS256");

    private static final int SHORTEST_RSA = 2_048;
    private static final int LONGEST_RSA = 4_096;
    private static final BigInteger F4 = BigInteger.valueOf(65_537);

    private final JWK jwk;
    private final PublicKey key;
    private final String algorithm;

    private AcmeKey(JWK jwk, PublicKey key, String algorithm) {
        this.jwk = jwk;
        this.key = key;
        this.algorithm = algorithm;
    }

    /// @param json a JSON Web Key (RFC 7517)
    /// @throws AcmeException `badPublicKey` for what is no public key of a kind and strength used here
    public static AcmeKey parse(String json) throws AcmeException {
        try {
            JWK jwk = JWK.parse(json);
            if (jwk.isPrivate()) {
                throw bad("the key is a private or secret one; make a new one and send its public half");
            }
            return switch (jwk) {
                case ECKey ec when ec.getCurve().equals(Curve.P_256) -> of(jwk, ec, "ES256");
                case ECKey ec when ec.getCurve().equals(Curve.P_384) -> of(jwk, ec, "ES384");
                case RSAKey rsa -> of(strong(rsa), rsa, "RS256");
                case OctetKeyPair pair
                when pair.getCurve().equals(Curve.Ed25519) -> new AcmeKey(jwk, ed25519(pair.getDecodedX()), "EdDSA");
                default -> throw bad("keys are P-256, P-384, Ed25519 or RSA");
            };
        } catch (ParseException | JOSEException | GeneralSecurityException | IOException | RuntimeException e) {
            throw bad("the key can't be read: P-256, P-384, Ed25519 or RSA as a JSON Web Key");
        }
    }

    private static AcmeKey of(JWK jwk, AsymmetricJWK key, String algorithm)
            throws JOSEException, GeneralSecurityException {
        PublicKey read = key.toPublicKey();
        return new AcmeKey(jwk, Crypto.publicKey(read.getAlgorithm(), read.getEncoded()), algorithm);
    }

    private static JWK strong(RSAKey key) throws AcmeException {
        BigInteger modulus = key.getModulus().decodeToBigInteger();
        BigInteger exponent = key.getPublicExponent().decodeToBigInteger();
        if (modulus.bitLength() < SHORTEST_RSA
                || modulus.bitLength() > LONGEST_RSA
                || !modulus.testBit(0)
                || !exponent.testBit(0)
                || exponent.compareTo(F4) < 0
                || exponent.bitLength() > 64) {
            throw bad("RSA keys have 2048 to 4096 bits and an exponent of at least 65537");
        }
        return key;
    }

    private static PublicKey ed25519(byte[] x) throws GeneralSecurityException, IOException {
        return Crypto.publicKey(
                "Ed25519",
                new SubjectPublicKeyInfo(new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519), x)
                        .getEncoded(ASN1Encoding.DER));
    }

    /// The one algorithm that messages of this key are signed with.
    public String algorithm() {
        return algorithm;
    }

    public PublicKey publicKey() {
        return key;
    }

    /// The public key as a JSON Web Key with the required members alone, as it is stored.
    public String json() {
        try {
            return com.nimbusds.jose.util.JSONObjectUtils.toJSONString(
                    new java.util.TreeMap<>(jwk.toPublicJWK().getRequiredParams()));
        } catch (RuntimeException e) {
            throw new IllegalStateException("a key that was read can't be written", e);
        }
    }

    /// RFC 7638, SHA-256, base64url.
    public String thumbprint() {
        try {
            return jwk.computeThumbprint().toString();
        } catch (JOSEException e) {
            throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
        }
    }

    /// Whether this key made the signature, of the form that JWS has (RFC 7518 section 3.4: for ECDSA R and S,
    /// each of full length); false also for a malformed one.
    boolean verify(byte[] input, byte[] signature) {
        return switch (algorithm) {
            case "ES256" -> ecdsa("SHA256withECDSA", 64, input, signature);
            case "ES384" -> ecdsa("SHA384withECDSA", 96, input, signature);
            case "RS256" -> Crypto.verify(key, "SHA256withRSA", input, signature);
            case "EdDSA" -> Crypto.verify(key, "Ed25519", input, signature);
            default -> false;
        };
    }

    private boolean ecdsa(String scheme, int length, byte[] input, byte[] signature) {
        if (signature.length != length) {
            return false;
        }
        try {
            return Crypto.verify(key, scheme, input, ECDSA.transcodeSignatureToDER(signature));
        } catch (JOSEException malformed) {
            return false;
        }
    }

    private static AcmeException bad(String detail) {
        return new AcmeException(AcmeProblem.BAD_PUBLIC_KEY, detail);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof AcmeKey that && Arrays.equals(key.getEncoded(), that.key.getEncoded());
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(key.getEncoded());
    }

    @Override
    public String toString() {
        return "AcmeKey[" + thumbprint() + "]";
    }
}
