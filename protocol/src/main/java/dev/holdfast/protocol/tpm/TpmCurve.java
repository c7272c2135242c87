package dev.holdfast.protocol.tpm;

import org.bouncycastle.asn1.ASN1ObjectIdentifier;

/// TPM_ECC_CURVE, as far as accepted.
enum TpmCurve {
    P256(0x0003, "1.2.840.10045.3.1.7"),
    P384(0x0004, "1.3.132.0.34");

    private final int id;
    private final String oid;

    TpmCurve(int id, String oid) {
        this.id = id;
        this.oid = oid;
    }

    ASN1ObjectIdentifier oid() {
        return new ASN1ObjectIdentifier(oid);
    }

    static TpmCurve of(int id) throws TpmFormatException {
        for (TpmCurve curve : values()) {
            if (curve.id == id) {
                return curve;
            }
        }
        throw TpmFormatException.unsupported("curve 0x" + Integer.toHexString(id) + ": P-256 or P-384");
    }
}
