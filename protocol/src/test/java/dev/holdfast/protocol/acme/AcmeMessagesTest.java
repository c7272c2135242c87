package dev.holdfast.protocol.acme;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.nimbusds.jose.crypto.impl.ECDSA;
import com.nimbusds.jose.jwk.Curve;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.jose.jwk.OctetKeyPair;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.util.Base64URL;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import java.security.spec.RSAKeyGenParameterSpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.junit.jupiter.api.Test;

/// What is read and believed of signed messages, whatever bytes come.
class AcmeMessagesTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int ROUNDS = 3_000;

    private static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    private static String encode(String text) {
        return encode(text.getBytes(StandardCharsets.UTF_8));
    }

    private static byte[] message(String header, String payload, byte[] signature) {
        return ("{\"protected\":\"" + encode(header) + "\",\"payload\":\"" + encode(payload) + "\",\"signature\":\""
                        + encode(signature) + "\"}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static String jwk(KeyPair key) {
        return switch (key.getPublic()) {
            case ECPublicKey ec ->
                new ECKey.Builder(Curve.forECParameterSpec(ec.getParams()), ec)
                        .build()
                        .toJSONString();
            case RSAPublicKey rsa -> new RSAKey.Builder(rsa).build().toJSONString();
            default ->
                new OctetKeyPair.Builder(
                                Curve.Ed25519,
                                Base64URL.encode(SubjectPublicKeyInfo.getInstance(
                                                key.getPublic().getEncoded())
                                        .getPublicKeyData()
                                        .getOctets()))
                        .build()
                        .toJSONString();
        };
    }

    private static byte[] sign(KeyPair key, String scheme, int length, String header, String payload) throws Exception {
        byte[] signature = Crypto.sign(
                key.getPrivate(), scheme, (encode(header) + "." + encode(payload)).getBytes(StandardCharsets.US_ASCII));
        return length == 0 ? signature : ECDSA.transcodeSignatureToConcat(signature, length);
    }

    private static String header(String algorithm, KeyPair key) {
        return "{\"alg\":\"" + algorithm + "\",\"nonce\":\"n\",\"url\":\"u\",\"jwk\":" + jwk(key) + "}";
    }

    private static AcmeKey keyOf(SignedMessage message) {
        return ((SignedMessage.Sender.ByKey) message.sender()).key();
    }

    private static void verifies(String algorithm, String scheme, int length, KeyPair key) throws Exception {
        String header = header(algorithm, key);
        SignedMessage good = SignedMessage.parse(
                message(header, "{}", sign(key, scheme, length, header, "{}")), SignedMessage.Place.REQUEST);
        good.verify(keyOf(good));
        assertThat(AcmeKey.parse(keyOf(good).json())).isEqualTo(keyOf(good));
        SignedMessage other = SignedMessage.parse(
                message(header, "{ }", sign(key, scheme, length, header, "{}")), SignedMessage.Place.REQUEST);
        assertThatThrownBy(() -> other.verify(keyOf(other))).isInstanceOf(AcmeException.class);
    }

    @Test
    void signaturesOfEveryKindOfKeyAreVerified() throws Exception {
        verifies("ES256", "SHA256withECDSA", 64, Crypto.generate(KeyKind.EC_P256, RANDOM));
        verifies("ES384", "SHA384withECDSA", 96, Crypto.generate(KeyKind.EC_P384, RANDOM));
        verifies("EdDSA", "Ed25519", 0, Crypto.generate(KeyKind.ED25519, RANDOM));
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(2048);
        verifies("RS256", "SHA256withRSA", 0, rsa.generateKeyPair());
    }

    @Test
    void anEcdsaSignatureOfZeroesOrInDerIsNone() throws Exception {
        KeyPair key = Crypto.generateP256(RANDOM);
        String header = header("ES256", key);
        byte[] der = Crypto.sign(
                key.getPrivate(),
                "SHA256withECDSA",
                (encode(header) + "." + encode("{}")).getBytes(StandardCharsets.US_ASCII));
        for (byte[] signature : List.of(new byte[64], der, new byte[0], new byte[65])) {
            SignedMessage message = SignedMessage.parse(message(header, "{}", signature), SignedMessage.Place.REQUEST);
            assertThatThrownBy(() -> message.verify(keyOf(message)))
                    .isInstanceOfSatisfying(
                            AcmeException.class, e -> assertThat(e.problem()).isEqualTo(AcmeProblem.MALFORMED));
        }
    }

    @Test
    void aMessageCantChooseAnotherAlgorithmThanItsKeys() throws Exception {
        KeyPair key = Crypto.generateP256(RANDOM);
        String header = header("RS256", key);
        SignedMessage message = SignedMessage.parse(message(header, "{}", new byte[64]), SignedMessage.Place.REQUEST);
        assertThatThrownBy(() -> message.verify(keyOf(message)))
                .isInstanceOfSatisfying(
                        AcmeException.class,
                        e -> assertThat(e.problem()).isEqualTo(AcmeProblem.BAD_SIGNATURE_ALGORITHM));
    }

    @Test
    void weakPrivateAndUnknownKeysAreRefused() throws Exception {
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(1024);
        KeyPair small = rsa.generateKeyPair();
        rsa.initialize(new RSAKeyGenParameterSpec(2048, BigInteger.valueOf(3)));
        KeyPair three = rsa.generateKeyPair();
        KeyPair good = Crypto.generateP256(RANDOM);
        String privately = new ECKey.Builder(Curve.P_256, (ECPublicKey) good.getPublic())
                .d(Base64URL.encode(BigInteger.TWO))
                .build()
                .toJSONString();
        for (String jwk : List.of(
                jwk(small),
                jwk(three),
                privately,
                "{\"kty\":\"oct\",\"k\":\"AAAA\"}",
                "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"AAAA\"}",
                "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}",
                "{}",
                "[]")) {
            assertThatThrownBy(() -> AcmeKey.parse(jwk))
                    .as(jwk)
                    .isInstanceOfSatisfying(
                            AcmeException.class, e -> assertThat(e.problem()).isEqualTo(AcmeProblem.BAD_PUBLIC_KEY));
        }
    }

    /// RFC 7638 section 3.1.
    @Test
    void theThumbprintIsThatOfTheRfc() throws Exception {
        String key = """
                {"kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB","alg":"RS256","kid":"2011-04-29"}
                """;
        assertThat(AcmeKey.parse(key).thumbprint()).isEqualTo("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }

    /// RFC 9773 section 4.1.
    @Test
    void theCertificatesIdIsThatOfTheRfc() throws Exception {
        CertificateId id = CertificateId.parse("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
        assertThat(id.issuerKey()).isEqualTo("69885b6b87464041e1b37b847ba0ae2cde01c8d4");
        assertThat(id.serial()).isEqualTo(new BigInteger("87654321", 16));
        assertThat(id.text()).isEqualTo("aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
        for (String bad : List.of("", ".", "AA", "AA.", ".AA", "AA.AA", "AA.gA", "AA.AAAB", "A=.AQ", "AA.AQ.AQ")) {
            assertThatThrownBy(() -> CertificateId.parse(bad)).as(bad).isInstanceOf(AcmeException.class);
        }
    }

    /// RFC 8555 section 8.1 and 8.4, with the token and thumbprint of section 8.3's example.
    @Test
    void keyAuthorizationAndItsDigestAreThoseOfTheRfc() {
        String authorization = ChallengeType.keyAuthorization("token", "thumbprint");
        assertThat(authorization).isEqualTo("token.thumbprint");
        assertThat(ChallengeType.dnsValue(authorization)).hasSize(43).doesNotContain("=");
    }

    @Test
    void whateverBytesComeAreAnsweredWithAValueOrTheOneException() throws Exception {
        KeyPair key = Crypto.generateP256(RANDOM);
        String header = header("ES256", key);
        byte[] good = message(
                header,
                "{\"identifiers\":[{\"type\":\"dns\",\"value\":\"a.example.org\"}]}",
                sign(key, "SHA256withECDSA", 64, header, "{}"));
        byte[] attestation = new byte[] {
            (byte) 0xa2,
            0x63,
            'f',
            'm',
            't',
            0x66,
            'p',
            'a',
            'c',
            'k',
            'e',
            'd',
            0x67,
            'a',
            't',
            't',
            'S',
            't',
            'm',
            't',
            (byte) 0xa3,
            0x63,
            'a',
            'l',
            'g',
            0x26,
            0x63,
            's',
            'i',
            'g',
            0x42,
            1,
            2,
            0x63,
            'x',
            '5',
            'c',
            (byte) 0x81,
            0x41,
            0x30
        };
        long seed = RANDOM.nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < ROUNDS; round++) {
            byte[] bytes = changed(good, random);
            byte[] cbor = changed(attestation, random);
            try {
                tolerate(() -> {
                    SignedMessage message = SignedMessage.parse(bytes, SignedMessage.Place.REQUEST);
                    AcmePayload.NewOrder.parse(message.payload());
                    message.verify(keyOf(message));
                });
                tolerate(() -> AttestationObject.parse(cbor));
            } catch (RuntimeException | StackOverflowError e) {
                throw new AssertionError("seed " + seed + ", round " + round, e);
            }
        }
    }

    private interface Attempt {
        void run() throws AcmeException;
    }

    private static void tolerate(Attempt attempt) {
        try {
            attempt.run();
        } catch (AcmeException refused) {
            assertThat(refused.detail()).isNotBlank();
        }
    }

    private static byte[] changed(byte[] good, Random random) {
        byte[] bytes = Arrays.copyOf(good, random.nextInt(8) == 0 ? random.nextInt(good.length) : good.length);
        for (int i = random.nextInt(4); i >= 0 && bytes.length > 0; i--) {
            bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        return bytes;
    }
}
