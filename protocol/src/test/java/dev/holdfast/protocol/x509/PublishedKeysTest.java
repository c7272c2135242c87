package dev.holdfast.protocol.x509;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.spec.ECParameterSpec;
import java.security.spec.ECPoint;
import java.security.spec.ECPrivateKeySpec;
import java.security.spec.ECPublicKeySpec;
import java.security.spec.NamedParameterSpec;
import java.util.Base64;
import java.util.HexFormat;
import java.util.stream.IntStream;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.junit.jupiter.api.Test;

/// Each key signs its own request, which shows that its private half is known.
class PublishedKeysTest {
    private static final SecureRandom RANDOM = new SecureRandom();

    private static void assertRefused(KeyPair key) {
        assertThat(Crypto.verify(
                        key.getPublic(),
                        scheme(key),
                        new byte[] {1},
                        Crypto.sign(key.getPrivate(), scheme(key), new byte[] {1})))
                .as("the two halves belong together")
                .isTrue();
        assertThatThrownBy(() -> CertificationRequest.verify(CertificationRequest.create("meter-1", key)))
                .isInstanceOfSatisfying(
                        CertificationRequestException.class,
                        e -> assertThat(e.reason()).isEqualTo(CertificationRequestException.Reason.KEY_WEAK));
    }

    private static String scheme(KeyPair key) {
        try {
            return Crypto.schemeFor(key.getPublic());
        } catch (java.security.InvalidKeyException e) {
            throw new AssertionError(e);
        }
    }

    private static KeyPair curve(KeyKind kind, BigInteger number) throws Exception {
        ECParameterSpec curve = ((ECPublicKey) Crypto.generate(kind, RANDOM).getPublic()).getParams();
        var named = org.bouncycastle.jce.ECNamedCurveTable.getParameterSpec(
                kind == KeyKind.EC_P256 ? "secp256r1" : "secp384r1");
        var point = named.getG().multiply(number).normalize();
        KeyFactory factory = KeyFactory.getInstance("EC", Crypto.provider());
        return new KeyPair(
                factory.generatePublic(new ECPublicKeySpec(
                        new ECPoint(
                                point.getAffineXCoord().toBigInteger(),
                                point.getAffineYCoord().toBigInteger()),
                        curve)),
                factory.generatePrivate(new ECPrivateKeySpec(number, curve)));
    }

    private static KeyPair ed25519(byte[] seed) throws Exception {
        PrivateKey secret = KeyFactory.getInstance("Ed25519")
                .generatePrivate(new java.security.spec.EdECPrivateKeySpec(NamedParameterSpec.ED25519, seed));
        byte[] open = new org.bouncycastle.crypto.params.Ed25519PrivateKeyParameters(seed)
                .generatePublicKey()
                .getEncoded();
        return new KeyPair(
                Crypto.publicKey(
                        "Ed25519",
                        new SubjectPublicKeyInfo(
                                        new AlgorithmIdentifier(
                                                org.bouncycastle.asn1.edec.EdECObjectIdentifiers.id_Ed25519),
                                        open)
                                .getEncoded()),
                secret);
    }

    private static byte[] hex(String text) {
        return HexFormat.of().parseHex(text);
    }

    @Test
    void refusesTheExamplesOfStandardsOnEveryCurve() throws Exception {
        assertRefused(curve(
                KeyKind.EC_P256,
                new BigInteger("e6cb5bdd80aa45ae9c95e8c15476679ffec953c16851e711e743939589c64fc1", 16)));
        assertRefused(curve(
                KeyKind.EC_P256,
                new BigInteger("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", 16)));
        assertRefused(curve(
                KeyKind.EC_P384,
                new BigInteger(
                        "e2563328dfabf68188606b91324281c1d58a4456431b09d510b35fecc9f307ca"
                                + "1822846fa2671371a9a81bac0e35749d",
                        16)));
        assertRefused(ed25519(hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")));
        assertRefused(ed25519(hex("d4ee72dbf913584ad5b6d8f1f769f8ad3afe7c28cbf1d4fbe097a88f44755842")));
    }

    @Test
    void refusesWhatAPlaceholderOrADeadSourceOfRandomnessGives() throws Exception {
        byte[] counted = new byte[32];
        IntStream.range(0, 32).forEach(i -> counted[i] = (byte) i);
        for (byte[] seed : new byte[][] {new byte[32], counted}) {
            assertRefused(ed25519(seed));
            byte[] open = new org.bouncycastle.crypto.params.MLDSAPrivateKeyParameters(
                            org.bouncycastle.crypto.params.MLDSAParameters.ml_dsa_65, seed)
                    .getPublicKey();
            assertThat(PublishedKeys.has(new SubjectPublicKeyInfo(new AlgorithmIdentifier(mlDsa65()), open)))
                    .as("ML-DSA-65 of the same seed")
                    .isTrue();
        }
        for (int number : new int[] {1, 2, 64}) {
            assertRefused(curve(KeyKind.EC_P256, BigInteger.valueOf(number)));
            assertRefused(curve(KeyKind.EC_P384, BigInteger.valueOf(number)));
        }
    }

    private static ASN1ObjectIdentifier mlDsa65() {
        return NISTObjectIdentifiers.id_ml_dsa_65;
    }

    /// RFC 9500 section 2.1, the public half.
    @Test
    void knowsTheLongRsaKeyOfRfc9500() {
        String info = String.join(
                "",
                "MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIICCgKCAgEAs4tJYOY75qjbqJqCl47x9jJE5Vd9jPWG",
                "FtXKV1nUnMjZNsM4qjy5sRHBSX5bUa9pLyYR5on3Z1SAwLD0w2VPQ6+F/oyK1zTgQqitoF/XZQjg",
                "C6D3VsNEO76DPqfRANT7Nn7r1gvbZIZ3/H3rlCRNrRr47tHGWBLAPnxz9/NY6UG8ZkWP97uXpJqY",
                "oRgH4CwaO5rTOlc64YDh/0Mq5VgMycq/q2AvMlvNoJfoe8em1040qH1gikP+suT/8fS452hqmEdd",
                "tRpuvQgXKldBd0kkiyFVyLkG4NVA6Mso9MAK3J/kdYoaw2SrOeThVSiYVEQVP+7GrUxTSLLjj/VQ",
                "9fpYM5eTNzDICIG/Ee7o/jhtW1EoSamDmUOr89lyIHaXuOwkEaJhnVXKBCM8WiztxvKG2CnQ6Dcg",
                "e3ZSmqJEhyEmjcAVC7ewfnMxOnE+WJW6rzrf+mA5WMVn+FzyWx2AondWow0aUKHkaY7amhIrsKp6",
                "YPfNImyxFlz8+cqDCmBswPsUh/JJ5eDHHIhibFcSgIHedsEjhLbUSLZ/DnEjru90qIWWA3R1VIPy",
                "kKfeZkZeInsrFzGPikkFKwFF+6KDdyvCmltYEqzO46tigXAZ5UgH8oiXEre48wO6X+FH+cLzQ0q3",
                "A8HZRnNDgqCjU/Tgy76iaku/Ic6eteedR1fX3gJ/IOUCAwEAAQ==");
        SubjectPublicKeyInfo key =
                SubjectPublicKeyInfo.getInstance(Base64.getDecoder().decode(info));
        assertThat(PublishedKeys.has(key)).isTrue();
        assertThat(key.getPublicKeyData().getOctets()).hasSizeGreaterThan(512);
    }

    @Test
    void takesFreshKeys() throws Exception {
        for (KeyKind kind : new KeyKind[] {KeyKind.EC_P256, KeyKind.EC_P384, KeyKind.ED25519, KeyKind.ML_DSA_65}) {
            KeyPair fresh = Crypto.generate(kind, RANDOM);
            assertThat(CertificationRequest.verify(CertificationRequest.create("meter-1", fresh))
                            .keyKind())
                    .isEqualTo(kind);
        }
    }
}
