package dev.holdfast.protocol.x509;

import java.security.PublicKey;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/// Between Java's names of signature schemes and their identifiers in DER.
public final class SignatureSchemes {
    private SignatureSchemes() {}

    /// @throws IllegalArgumentException when the scheme is not one used here
    public static AlgorithmIdentifier identifier(String scheme) {
        return switch (scheme) {
            case "SHA256withECDSA" -> ecdsa(X9ObjectIdentifiers.ecdsa_with_SHA256);
            case "SHA384withECDSA" -> ecdsa(X9ObjectIdentifiers.ecdsa_with_SHA384);
            case "SHA512withECDSA" -> ecdsa(X9ObjectIdentifiers.ecdsa_with_SHA512);
            case "SHA256withRSA" -> rsa(PKCSObjectIdentifiers.sha256WithRSAEncryption);
            case "SHA384withRSA" -> rsa(PKCSObjectIdentifiers.sha384WithRSAEncryption);
            case "SHA512withRSA" -> rsa(PKCSObjectIdentifiers.sha512WithRSAEncryption);
            case "Ed25519" -> new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519); // RFC 8410 section 3
            case "ML-DSA-65" -> new AlgorithmIdentifier(NISTObjectIdentifiers.id_ml_dsa_65); // RFC 9881 section 2
            default -> throw new IllegalArgumentException("not a signature scheme used here: " + scheme);
        };
    }

    /// The scheme that fits the key and is strong enough; empty for any other.
    ///
    /// @param key as [Crypto#publicKey] gives it
    public static Optional<String> fitting(PublicKey key, AlgorithmIdentifier algorithm) {
        ASN1ObjectIdentifier id = algorithm.getAlgorithm();
        return switch (KeyKind.of(key)) {
            case EC_P256, EC_P384 -> first(id, "SHA256withECDSA", "SHA384withECDSA", "SHA512withECDSA");
            case RSA, RSA_WEAK -> first(id, "SHA256withRSA", "SHA384withRSA", "SHA512withRSA");
            case ED25519 -> first(id, "Ed25519");
            case ML_DSA_65 -> first(id, "ML-DSA-65");
            case OTHER -> Optional.empty();
        };
    }

    private static Optional<String> first(ASN1ObjectIdentifier id, String... schemes) {
        for (String scheme : schemes) {
            if (identifier(scheme).getAlgorithm().equals(id)) {
                return Optional.of(scheme);
            }
        }
        return Optional.empty();
    }

    /// RFC 5758 section 3.2: no parameters.
    private static AlgorithmIdentifier ecdsa(ASN1ObjectIdentifier id) {
        return new AlgorithmIdentifier(id);
    }

    /// RFC 4055 section 5: parameters are NULL.
    private static AlgorithmIdentifier rsa(ASN1ObjectIdentifier id) {
        return new AlgorithmIdentifier(id, DERNull.INSTANCE);
    }
}
