package dev.holdfast.protocol.x509;

import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
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
            default -> throw new IllegalArgumentException("not a signature scheme used here: " + scheme);
        };
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
