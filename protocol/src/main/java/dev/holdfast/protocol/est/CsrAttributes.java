package dev.holdfast.protocol.est;

import java.io.IOException;
import org.bouncycastle.asn1.ASN1EncodableVector;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.DERSet;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/// What a server would like to see in requests (RFC 7030 section 4.5.2, RFC 8951 section 3.2).
public final class CsrAttributes {
    private CsrAttributes() {}

    /// A P-256 key, and ECDSA with SHA-256 as signature.
    ///
    /// CsrAttrs ::= SEQUENCE OF AttrOrOID; the key as attribute id-ecPublicKey with the curve as its value.
    public static byte[] p256() {
        ASN1EncodableVector key = new ASN1EncodableVector();
        key.add(X9ObjectIdentifiers.id_ecPublicKey);
        key.add(new DERSet(SECObjectIdentifiers.secp256r1));
        ASN1EncodableVector all = new ASN1EncodableVector();
        all.add(new DERSequence(key));
        all.add(X9ObjectIdentifiers.ecdsa_with_SHA256);
        try {
            return new DERSequence(all).getEncoded(ASN1Encoding.DER);
        } catch (IOException e) {
            throw new IllegalStateException("a constant that can't be encoded", e);
        }
    }
}
