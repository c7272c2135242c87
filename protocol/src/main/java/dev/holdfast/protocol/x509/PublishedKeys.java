package dev.holdfast.protocol.x509;

import java.io.IOException;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.asn1.x9.ECNamedCurveTable;
import org.bouncycastle.asn1.x9.X9ECParameters;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters;
import org.bouncycastle.crypto.params.MLDSAParameters;
import org.bouncycastle.crypto.params.MLDSAPrivateKeyParameters;
import org.bouncycastle.math.ec.ECPoint;
import org.bouncycastle.math.ec.FixedPointCombMultiplier;

/// Keys whose private half everybody has: examples of standards, which end up in devices because somebody
/// copied them, and numbers that a broken source of randomness or a forgotten placeholder gives.
final class PublishedKeys {
    /// RFC 9500 section 2.3, RFC 6979 appendix A.2.5.
    private static final List<String> P256 = List.of(
            "e6cb5bdd80aa45ae9c95e8c15476679ffec953c16851e711e743939589c64fc1",
            "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");

    /// RFC 9500 section 2.3, RFC 6979 appendix A.2.6.
    private static final List<String> P384 = List.of(
            "e2563328dfabf68188606b91324281c1d58a4456431b09d510b35fecc9f307ca1822846fa2671371a9a81bac0e35749d",
            "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5");

    /// RFC 8032 section 7.1 (tests 1, 2, 3), RFC 8410 section 10.3.
    private static final List<String> ED25519 = List.of(
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842");

    /// RFC 9881 appendix C.1: the octets 0 to 31, in order; also seen as an Ed25519 key.
    private static final String COUNTED = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    /// RFC 9500 section 2.1: SHA-256 of the 4096-bit key's SubjectPublicKeyInfo; the others are too short.
    private static final Set<String> RSA = Set.of("96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9");

    private static final int SMALLEST_NUMBERS = 64;
    private static final Set<String> ALL = all();

    private PublishedKeys() {}

    static boolean has(SubjectPublicKeyInfo info) {
        return ALL.contains(fingerprint(info));
    }

    private static Set<String> all() {
        Set<String> all = new HashSet<>(RSA);
        curve(all, SECObjectIdentifiers.secp256r1, P256);
        curve(all, SECObjectIdentifiers.secp384r1, P384);
        ED25519.forEach(seed -> all.add(ed25519(octets(seed))));
        for (byte[] seed : List.of(octets(COUNTED), new byte[32], ones())) {
            all.add(ed25519(seed));
            all.add(fingerprint(new SubjectPublicKeyInfo(
                    new AlgorithmIdentifier(NISTObjectIdentifiers.id_ml_dsa_65),
                    new MLDSAPrivateKeyParameters(MLDSAParameters.ml_dsa_65, seed).getPublicKey())));
        }
        return Set.copyOf(all);
    }

    /// The published numbers, and the smallest and largest that a private key can be.
    private static void curve(Set<String> all, ASN1ObjectIdentifier name, List<String> published) {
        X9ECParameters curve = ECNamedCurveTable.getByOID(name);
        Set<BigInteger> numbers = new HashSet<>();
        published.forEach(number -> numbers.add(new BigInteger(number, 16)));
        for (int number = 1; number <= SMALLEST_NUMBERS; number++) {
            numbers.add(BigInteger.valueOf(number));
            numbers.add(curve.getN().subtract(BigInteger.valueOf(number)));
        }
        FixedPointCombMultiplier multiplier = new FixedPointCombMultiplier();
        for (BigInteger number : numbers) {
            ECPoint point = multiplier.multiply(curve.getG(), number).normalize();
            all.add(fingerprint(new SubjectPublicKeyInfo(
                    new AlgorithmIdentifier(X9ObjectIdentifiers.id_ecPublicKey, name), point.getEncoded(false))));
        }
    }

    private static String ed25519(byte[] seed) {
        return fingerprint(new SubjectPublicKeyInfo(
                new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519),
                new Ed25519PrivateKeyParameters(seed).generatePublicKey().getEncoded()));
    }

    private static byte[] ones() {
        byte[] ones = new byte[32];
        Arrays.fill(ones, (byte) 0xff);
        return ones;
    }

    private static byte[] octets(String hexadecimal) {
        return HexFormat.of().parseHex(hexadecimal);
    }

    private static String fingerprint(SubjectPublicKeyInfo info) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(info.getEncoded(ASN1Encoding.DER)));
        } catch (IOException | NoSuchAlgorithmException e) {
            throw new IllegalStateException("a key that can't be named", e);
        }
    }
}
