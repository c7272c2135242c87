package dev.holdfast.protocol.tpm;

import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import java.io.IOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.util.HexFormat;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.DERNull;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.RSAPublicKey;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.ECNamedCurveTable;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;

/// TPMT_PUBLIC (part 2 section 12.2.4): the public part of an RSA or elliptic-curve key, with what the TPM
/// lets be done with it.
///
/// @param authPolicy hexadecimal, empty for none
/// @param symmetricBits of the AES key that protects what is stored under this key; empty for keys that store
///     nothing
/// @param scheme by which alone it signs; empty where each use may choose
/// @param encoded the TPMT_PUBLIC as it came, hexadecimal: its digest is the key's name
public record TpmPublic(
        TpmHash nameAlgorithm,
        TpmAttributes attributes,
        String authPolicy,
        Optional<Integer> symmetricBits,
        Optional<TpmScheme> scheme,
        PublicKey key,
        String encoded) {
    static final int MOST_OCTETS = 1_024;
    private static final int RSA = 0x0001;
    private static final int AES = 0x0006;
    private static final int NULL = 0x0010;
    private static final int ECC = 0x0023;
    private static final int CFB = 0x0043;
    private static final int RSAES = 0x0015;
    private static final int MOST_DIGEST = 64;
    private static final long F4 = 65_537;

    /// Reads TPM2B_PUBLIC, as tpm2-tools write it with `-u`: two octets of length, then the TPMT_PUBLIC.
    public static TpmPublic parseSized(byte[] bytes) throws TpmFormatException {
        TpmReader in = new TpmReader("TPM2B_PUBLIC", bytes, MOST_OCTETS + 2);
        byte[] area = in.sized(MOST_OCTETS);
        in.end();
        return parse(area);
    }

    /// Reads TPMT_PUBLIC. Only kinds that are accepted somewhere can be read: RSA of 2048, 3072 or 4096
    /// bits, P-256 and P-384, names by SHA-256 or better.
    public static TpmPublic parse(byte[] area) throws TpmFormatException {
        TpmReader in = new TpmReader("TPMT_PUBLIC", area, MOST_OCTETS);
        int type = in.u16();
        TpmHash nameAlgorithm = TpmHash.strong(in.u16());
        TpmAttributes attributes = TpmAttributes.parse(in.u32());
        String authPolicy = in.sizedHex(MOST_DIGEST);
        if (type != RSA && type != ECC) {
            throw TpmFormatException.unsupported("not an RSA or elliptic-curve key");
        }
        Optional<Integer> symmetric = symmetric(in);
        Optional<TpmScheme> scheme = scheme(in, attributes, type == RSA);
        PublicKey key = type == RSA ? rsa(in) : ecc(in);
        in.end();
        return new TpmPublic(
                nameAlgorithm,
                attributes,
                authPolicy,
                symmetric,
                scheme,
                key,
                HexFormat.of().formatHex(area));
    }

    /// TPMT_SYM_DEF_OBJECT (section 11.1.7).
    private static Optional<Integer> symmetric(TpmReader in) throws TpmFormatException {
        int algorithm = in.u16();
        if (algorithm == NULL) {
            return Optional.empty();
        }
        int bits = in.u16();
        int mode = in.u16();
        if (algorithm != AES || mode != CFB || (bits != 128 && bits != 192 && bits != 256)) {
            throw TpmFormatException.unsupported("what is stored is protected otherwise than by AES-CFB");
        }
        return Optional.of(bits);
    }

    /// TPMT_RSA_SCHEME, TPMT_ECC_SCHEME (sections 11.2.4.2 and 11.2.5.6). A decryption scheme is passed over.
    private static Optional<TpmScheme> scheme(TpmReader in, TpmAttributes attributes, boolean rsa)
            throws TpmFormatException {
        int id = in.u16();
        if (id == NULL || (rsa && id == RSAES)) {
            return Optional.empty();
        }
        if (attributes.sign()) {
            TpmScheme.Kind kind = TpmScheme.Kind.of(id);
            if (kind.isRsa() != rsa) {
                throw TpmFormatException.malformed("a signature scheme of another kind of key");
            }
            return Optional.of(new TpmScheme(kind, TpmHash.strong(in.u16())));
        }
        if (id != (rsa ? 0x0017 : 0x0019)) { // OAEP, ECDH
            throw TpmFormatException.unsupported("decryption scheme 0x" + Integer.toHexString(id));
        }
        TpmHash.strong(in.u16());
        return Optional.empty();
    }

    /// TPMS_RSA_PARMS from keyBits on, and TPM2B_PUBLIC_KEY_RSA (sections 12.2.3.5 and 11.2.4.5).
    private static PublicKey rsa(TpmReader in) throws TpmFormatException {
        int bits = in.u16();
        long exponent = in.u32();
        BigInteger modulus = new BigInteger(1, in.sized(512));
        if ((bits != 2_048 && bits != 3_072 && bits != 4_096) || modulus.bitLength() != bits || !modulus.testBit(0)) {
            throw TpmFormatException.unsupported("RSA keys have 2048, 3072 or 4096 bits");
        }
        if (exponent != 0 && exponent != F4) {
            throw TpmFormatException.unsupported("an RSA exponent other than 65537");
        }
        return key(
                "RSA",
                new AlgorithmIdentifier(PKCSObjectIdentifiers.rsaEncryption, DERNull.INSTANCE),
                () -> new RSAPublicKey(modulus, BigInteger.valueOf(F4)).getEncoded(ASN1Encoding.DER));
    }

    /// TPMS_ECC_PARMS from curveID on, and TPMS_ECC_POINT (sections 12.2.3.6 and 11.2.5.2).
    private static PublicKey ecc(TpmReader in) throws TpmFormatException {
        ASN1ObjectIdentifier name = TpmCurve.of(in.u16()).oid();
        if (in.u16() != NULL) { // kdf
            TpmHash.strong(in.u16());
        }
        X9ECParameters curve = ECNamedCurveTable.getByOID(name);
        int octets = (curve.getCurve().getFieldSize() + 7) / 8;
        BigInteger x = new BigInteger(1, in.sized(octets));
        BigInteger y = new BigInteger(1, in.sized(octets));
        byte[] point;
        try {
            point = curve.getCurve().validatePoint(x, y).getEncoded(false);
        } catch (IllegalArgumentException offCurve) {
            throw TpmFormatException.malformed("a point that is not on its curve");
        }
        return key("EC", new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, name), () -> point);
    }

    private interface Encoding {
        byte[] octets() throws IOException;
    }

    private static PublicKey key(String algorithm, AlgorithmIdentifier identifier, Encoding encoding)
            throws TpmFormatException {
        try {
            return Crypto.publicKey(
                    algorithm, new SubjectPublicKeyInfo(identifier, encoding.octets()).getEncoded(ASN1Encoding.DER));
        } catch (GeneralSecurityException | IOException e) {
            throw TpmFormatException.malformed("not a valid public key");
        }
    }

    /// The name (part 1 section 16): the algorithm's id and the digest of all this, hexadecimal.
    public String name() {
        return HexFormat.of()
                .formatHex(new TpmWriter()
                        .u16(nameAlgorithm.id())
                        .octets(nameAlgorithm.digest(area()))
                        .bytes());
    }

    /// The qualified name of a primary key in the endorsement hierarchy (part 1 section 26.5): its
    /// ancestors' names and its own, digested.
    public String qualifiedNameInEndorsementHierarchy() {
        return qualified(new byte[] {0x40, 0, 0, 0x0b});
    }

    /// The qualified name as a child of the key with this qualified name.
    public String qualifiedNameUnder(String parent) {
        return qualified(HexFormat.of().parseHex(parent));
    }

    private String qualified(byte[] above) {
        return HexFormat.of()
                .formatHex(new TpmWriter()
                        .u16(nameAlgorithm.id())
                        .octets(nameAlgorithm.digest(above, HexFormat.of().parseHex(name())))
                        .bytes());
    }

    /// SHA-256 over the key's SubjectPublicKeyInfo, as [Certificates#keyFingerprint].
    public String fingerprint() {
        return Certificates.keyFingerprint(key.getEncoded());
    }

    /// The TPMT_PUBLIC.
    public byte[] area() {
        return HexFormat.of().parseHex(encoded);
    }
}
