package dev.holdfast.protocol.x509;

import static org.assertj.core.api.Assertions.assertThat;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.spec.X509EncodedKeySpec;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.BERSequence;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.edec.EdECObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.junit.jupiter.api.Test;

/// How strictly signatures are read, by the cases that Project Wycheproof is known for, made of fresh keys in
/// every run; its own vectors are in [WycheproofTest]. RFC 8032's are its own.
class SignatureVectorsTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] MESSAGE = "what is signed".getBytes(StandardCharsets.US_ASCII);
    private static final BigInteger N =
            new BigInteger("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551", 16);

    private static byte[] join(byte[]... parts) {
        int length = Arrays.stream(parts).mapToInt(p -> p.length).sum();
        byte[] all = new byte[length];
        int at = 0;
        for (byte[] part : parts) {
            System.arraycopy(part, 0, all, at, part.length);
            at += part.length;
        }
        return all;
    }

    private static byte[] octets(int... values) {
        byte[] all = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            all[i] = (byte) values[i];
        }
        return all;
    }

    private static byte[] der(BigInteger r, BigInteger s) throws Exception {
        return new DERSequence(new ASN1Integer[] {new ASN1Integer(r), new ASN1Integer(s)}).getEncoded("DER");
    }

    private static byte[] integer(byte[] contents) {
        return join(octets(2, contents.length), contents);
    }

    private static byte[] sequence(byte[]... parts) {
        byte[] contents = join(parts);
        return join(octets(0x30, contents.length), contents);
    }

    private static void assertAllRefused(PublicKey key, String scheme, Map<String, byte[]> cases) {
        cases.forEach((name, signature) -> assertThat(Crypto.verify(key, scheme, MESSAGE, signature))
                .as(name)
                .isFalse());
    }

    @Test
    void ecdsaOnP256IsStrictAboutItsEncoding() throws Exception {
        for (int round = 0; round < 20; round++) {
            KeyPair key = Crypto.generateP256(RANDOM);
            byte[] good = Crypto.sign(key.getPrivate(), "SHA256withECDSA", MESSAGE);
            assertThat(Crypto.verify(key.getPublic(), "SHA256withECDSA", MESSAGE, good))
                    .isTrue();
            ASN1Sequence parts = ASN1Sequence.getInstance(good);
            byte[] r = ASN1Integer.getInstance(parts.getObjectAt(0)).getValue().toByteArray();
            byte[] s = ASN1Integer.getInstance(parts.getObjectAt(1)).getValue().toByteArray();
            byte[] contents = Arrays.copyOfRange(good, 2, good.length);
            Map<String, byte[]> cases = new LinkedHashMap<>();
            cases.put("empty", new byte[0]);
            cases.put("an octet after it", join(good, octets(0)));
            cases.put("cut", Arrays.copyOf(good, good.length - 1));
            cases.put("length in long form", join(octets(0x30, 0x81, contents.length), contents));
            cases.put("length in longer form", join(octets(0x30, 0x82, 0, contents.length), contents));
            cases.put("indefinite length", new BERSequence(parts.toArray()).getEncoded());
            cases.put("length too short", join(octets(0x30, contents.length - 1), contents));
            cases.put("length too long", join(octets(0x30, contents.length + 1), contents));
            cases.put("length without end", join(octets(0x30, 0x84, 0xff, 0xff, 0xff, 0xff), contents));
            cases.put("a set", join(octets(0x31), Arrays.copyOfRange(good, 1, good.length)));
            cases.put("something third", sequence(integer(r), integer(s), octets(5, 0)));
            cases.put("something between", sequence(integer(r), octets(5, 0), integer(s)));
            cases.put("only one", sequence(integer(r)));
            cases.put("zeros before r", sequence(integer(join(octets(0, 0), r)), integer(s)));
            cases.put("zeros before s", sequence(integer(r), integer(join(octets(0, 0), s))));
            cases.put("r as octet string", sequence(join(octets(4, r.length), r), integer(s)));
            cases.put("r with its length in long form", sequence(join(octets(2, 0x81, r.length), r), integer(s)));
            cases.put("empty r", sequence(octets(2, 0), integer(s)));
            cases.put("plain r and s", join(fixed(r), fixed(s)));
            assertAllRefused(key.getPublic(), "SHA256withECDSA", cases);
        }
    }

    private static byte[] fixed(byte[] number) {
        byte[] all = new byte[32];
        int length = Math.min(32, number.length);
        System.arraycopy(number, number.length - length, all, 32 - length, length);
        return all;
    }

    @Test
    void ecdsaOnP256RefusesNumbersThatAreNoneOfIts() throws Exception {
        KeyPair key = Crypto.generateP256(RANDOM);
        ASN1Sequence good = ASN1Sequence.getInstance(Crypto.sign(key.getPrivate(), "SHA256withECDSA", MESSAGE));
        BigInteger r = ASN1Integer.getInstance(good.getObjectAt(0)).getValue();
        BigInteger s = ASN1Integer.getInstance(good.getObjectAt(1)).getValue();
        BigInteger p = ((java.security.spec.ECFieldFp)
                        ((ECPublicKey) key.getPublic()).getParams().getCurve().getField())
                .getP();
        Map<String, byte[]> cases = new LinkedHashMap<>();
        BigInteger[] none = {
            BigInteger.ZERO,
            BigInteger.ONE.negate(),
            N,
            N.add(BigInteger.ONE),
            N.negate(),
            p,
            BigInteger.TWO.pow(256),
            BigInteger.TWO.pow(2_000)
        };
        for (BigInteger number : none) {
            cases.put("r is " + number, der(number, s));
            cases.put("s is " + number, der(r, number));
            for (BigInteger other : none) {
                cases.put("r is " + number + ", s is " + other, der(number, other));
            }
        }
        cases.put("r + n", der(r.add(N), s));
        cases.put("s + n", der(r, s.add(N)));
        cases.put("-r", der(r.negate(), s));
        cases.put("n - r", der(N.subtract(r), s));
        cases.put("the two exchanged", der(s, r));
        cases.put("1 and 1", der(BigInteger.ONE, BigInteger.ONE));
        cases.put("n - 1 and n - 1", der(N.subtract(BigInteger.ONE), N.subtract(BigInteger.ONE)));
        assertAllRefused(key.getPublic(), "SHA256withECDSA", cases);
        assertThat(Crypto.verify(key.getPublic(), "SHA256withECDSA", MESSAGE, der(r, N.subtract(s))))
                .as("the other of the two s is a signature too (FIPS 186-5 has no smaller one)")
                .isTrue();
        assertThat(Crypto.verify(key.getPublic(), "SHA384withECDSA", MESSAGE, der(r, s)))
                .as("another digest")
                .isFalse();
        assertThat(Crypto.verify(key.getPublic(), "SHA256withECDSA", new byte[0], der(r, s)))
                .as("another message")
                .isFalse();
    }

    /// RFC 8032 section 7.1, tests 1 to 3: public key, message, signature.
    private static final String[][] RFC_8032 = {
        {
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                    + "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
        },
        {
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    + "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
        },
        {
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                    + "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
        }
    };

    @Test
    void ed25519IsAsRfc8032HasItAndNotMalleable() throws Exception {
        BigInteger order = BigInteger.TWO.pow(252).add(new BigInteger("27742317777372353535851937790883648493"));
        for (String[] vector : RFC_8032) {
            PublicKey key = Crypto.publicKey(
                    "Ed25519",
                    new SubjectPublicKeyInfo(
                                    new AlgorithmIdentifier(EdECObjectIdentifiers.id_Ed25519),
                                    HexFormat.of().parseHex(vector[0]))
                            .getEncoded());
            byte[] message = HexFormat.of().parseHex(vector[1]);
            byte[] good = HexFormat.of().parseHex(vector[2]);
            assertThat(Crypto.verify(key, "Ed25519", message, good)).isTrue();
            Map<String, byte[]> cases = new LinkedHashMap<>();
            for (int multiple = 1; multiple < 8; multiple++) {
                cases.put("S + " + multiple + " L", withS(good, order.multiply(BigInteger.valueOf(multiple))));
            }
            cases.put("empty", new byte[0]);
            cases.put("cut", Arrays.copyOf(good, 63));
            cases.put("an octet after it", Arrays.copyOf(good, 65));
            cases.put("R alone", Arrays.copyOf(good, 32));
            cases.put("nothing but zeros", new byte[64]);
            byte[] ones = new byte[64];
            Arrays.fill(ones, (byte) 0xff);
            cases.put("nothing but ones", ones);
            byte[] zeroS = good.clone();
            Arrays.fill(zeroS, 32, 64, (byte) 0);
            cases.put("S is 0", zeroS);
            byte[] identity = good.clone();
            Arrays.fill(identity, 0, 32, (byte) 0);
            identity[0] = 1;
            cases.put("R is the neutral point", identity);
            for (int bit : new int[] {0, 100, 255, 256, 400, 511}) {
                byte[] flipped = good.clone();
                flipped[bit / 8] ^= (byte) (1 << bit % 8);
                cases.put("bit " + bit + " turned", flipped);
            }
            cases.forEach((name, signature) -> assertThat(Crypto.verify(key, "Ed25519", message, signature))
                    .as(name)
                    .isFalse());
            assertThat(Crypto.verify(key, "Ed25519", octets(1, 2, 3), good)).isFalse();
        }
    }

    /// The signature with this added to S; empty-handed where that has no 32 octets any more.
    private static byte[] withS(byte[] signature, BigInteger added) {
        byte[] reversed = new byte[32];
        for (int i = 0; i < 32; i++) {
            reversed[i] = signature[63 - i];
        }
        byte[] sum = new BigInteger(1, reversed).add(added).toByteArray();
        byte[] all = signature.clone();
        for (int i = 0; i < 32; i++) {
            all[32 + i] = i < sum.length ? sum[sum.length - 1 - i] : 0;
        }
        return all;
    }

    /// FIPS 204: a signature of ML-DSA-65 is 48 octets of commitment, 5 times 640 of response, 55 + 6 of
    /// hints.
    @Test
    void mlDsa65IsStrictAboutLengthsRangesAndHints() {
        KeyPair key = Crypto.generate(KeyKind.ML_DSA_65, RANDOM);
        byte[] good = Crypto.sign(key.getPrivate(), "ML-DSA-65", MESSAGE);
        assertThat(good).hasSize(3_309);
        assertThat(Crypto.verify(key.getPublic(), "ML-DSA-65", MESSAGE, good)).isTrue();
        Map<String, byte[]> cases = new LinkedHashMap<>();
        cases.put("empty", new byte[0]);
        cases.put("cut", Arrays.copyOf(good, 3_308));
        cases.put("an octet after it", Arrays.copyOf(good, 3_310));
        cases.put("of ML-DSA-44's length", Arrays.copyOf(good, 2_420));
        cases.put("of ML-DSA-87's length", Arrays.copyOf(good, 4_627));
        cases.put("nothing but zeros", new byte[3_309]);
        for (int at : new int[] {0, 47, 48, 700, 3_247}) {
            byte[] flipped = good.clone();
            flipped[at] ^= 1;
            cases.put("octet " + at + " turned", flipped);
        }
        byte[] outOfRange = good.clone(); // coefficients of gamma1 are beyond gamma1 - beta
        Arrays.fill(outOfRange, 48, 48 + 640, (byte) 0);
        cases.put("a response out of its range", outOfRange);
        byte[] below = good.clone();
        Arrays.fill(below, 48, 48 + 640, (byte) 0xff);
        cases.put("a response out of its range, below", below);
        byte[] tooMany = good.clone();
        tooMany[3_308] = 56;
        cases.put("more hints than there may be", tooMany);
        byte[] descending = good.clone();
        descending[3_303] = (byte) (good[3_304] + 1);
        cases.put("hints whose counts go down", descending);
        int hints = good[3_308];
        if (hints < 55) {
            byte[] padding = good.clone();
            padding[3_248 + hints] = 1;
            cases.put("hints with something after them", padding);
        }
        if (good[3_303] >= 2) {
            byte[] unsorted = good.clone();
            unsorted[3_248] = good[3_249];
            unsorted[3_249] = good[3_248];
            cases.put("hints out of order", unsorted);
            byte[] twice = good.clone();
            twice[3_249] = good[3_248];
            cases.put("a hint twice", twice);
        }
        assertAllRefused(key.getPublic(), "ML-DSA-65", cases);
        assertThat(Crypto.verify(key.getPublic(), "ML-DSA-65", new byte[0], good))
                .isFalse();
        assertThat(Crypto.verify(Crypto.generate(KeyKind.ML_DSA_65, RANDOM).getPublic(), "ML-DSA-65", MESSAGE, good))
                .isFalse();
    }

    @Test
    void aSignatureCountsForItsOwnKindOfKeyOnly() throws Exception {
        Map<String, KeyPair> keys = new LinkedHashMap<>();
        keys.put("SHA256withECDSA", Crypto.generateP256(RANDOM));
        keys.put("Ed25519", Crypto.generate(KeyKind.ED25519, RANDOM));
        keys.put("ML-DSA-65", Crypto.generate(KeyKind.ML_DSA_65, RANDOM));
        keys.forEach((scheme, signer) -> keys.forEach((other, reader) -> {
            byte[] signature = Crypto.sign(signer.getPrivate(), scheme, MESSAGE);
            assertThat(Crypto.verify(reader.getPublic(), other, MESSAGE, signature))
                    .as(scheme + " read as " + other)
                    .isEqualTo(scheme.equals(other));
            assertThat(Crypto.verify(reader.getPublic(), scheme, MESSAGE, signature))
                    .as(scheme + " by a key of " + other)
                    .isEqualTo(scheme.equals(other));
        }));
        PublicKey larger = KeyFactory.getInstance("ML-DSA")
                .generatePublic(new X509EncodedKeySpec(java.security.KeyPairGenerator.getInstance("ML-DSA-87")
                        .generateKeyPair()
                        .getPublic()
                        .getEncoded()));
        assertThat(KeyKind.of(larger)).isEqualTo(KeyKind.OTHER);
    }
}
