package dev.holdfast.protocol.manifest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.protocol.manifest.ManifestException.Reason;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SignedManifestTest {
    private static final Manifest MANIFEST = new Manifest(
            "meter", List.of("rev-a"), "1.2.0", 3, new Manifest.Image("meter.img", 1_048_576, "ab".repeat(32)));

    private final KeyPair key = keyPair("secp256r1");

    private static KeyPair keyPair(String curve) {
        try {
            KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
            generator.initialize(new ECGenParameterSpec(curve));
            return generator.generateKeyPair();
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    private byte[] signed() {
        return SignedManifest.sign(MANIFEST, key.getPrivate(), key.getPublic());
    }

    private byte[] signedPayload(String payload) throws GeneralSecurityException {
        byte[] body = payload.getBytes(StandardCharsets.UTF_8);
        var signer = java.security.Signature.getInstance("SHA256withECDSA");
        signer.initSign(key.getPrivate());
        signer.update(Envelope.preAuthenticationEncoding(Manifest.PAYLOAD_TYPE, body));
        return new Envelope(Manifest.PAYLOAD_TYPE, body, List.of(new Envelope.SignatureLine("", signer.sign()))).json();
    }

    private void refuses(byte[] envelope, Reason reason) {
        assertThatThrownBy(() -> SignedManifest.verify(envelope, List.of(key.getPublic())))
                .isInstanceOfSatisfying(
                        ManifestException.class, e -> assertThat(e.reason()).isEqualTo(reason));
    }

    @Test
    void whatWasSignedIsReadBack() throws Exception {
        SignedManifest read =
                SignedManifest.verify(signed(), List.of(keyPair("secp256r1").getPublic(), key.getPublic()));
        assertThat(read.manifest()).isEqualTo(MANIFEST);
        assertThat(read.keyId()).isEqualTo(SignedManifest.keyId(key.getPublic()));
    }

    /// The example of the DSSE specification (protocol.md, "Pre-Authentication Encoding").
    @Test
    void thePreAuthenticationEncodingIsThatOfTheSpecification() {
        assertThat(new String(
                        Envelope.preAuthenticationEncoding(
                                "http://example.com/HelloWorld", "hello world".getBytes(StandardCharsets.UTF_8)),
                        StandardCharsets.UTF_8))
                .isEqualTo("DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    @Test
    void aSignatureMadeByOpensslIsAccepted(@TempDir Path folder) throws Exception {
        Path pem = folder.resolve("key.pem");
        Files.writeString(
                pem,
                "-----BEGIN PRIVATE KEY-----\n"
                        + Base64.getMimeEncoder()
                                .encodeToString(key.getPrivate().getEncoded())
                        + "\n-----END PRIVATE KEY-----\n");
        Files.write(folder.resolve("tbs"), SignedManifest.toBeSigned(MANIFEST));
        Process openssl = new ProcessBuilder("openssl", "dgst", "-sha256", "-sign", "key.pem", "-out", "sig", "tbs")
                .directory(folder.toFile())
                .inheritIO()
                .start();
        assertThat(openssl.waitFor()).isZero();
        byte[] envelope = SignedManifest.envelope(MANIFEST, Files.readAllBytes(folder.resolve("sig")), key.getPublic());
        assertThat(SignedManifest.verify(envelope, List.of(key.getPublic())).manifest())
                .isEqualTo(MANIFEST);
    }

    @Test
    void refusesAnotherKeysSignature() {
        KeyPair other = keyPair("secp256r1");
        refuses(
                SignedManifest.sign(MANIFEST, other.getPrivate(), key.getPublic()),
                Reason.NO_SIGNATURE_BY_A_TRUSTED_KEY);
    }

    @Test
    void refusesAKeyOnAnotherCurveEvenWhenItIsTrusted() {
        KeyPair other = keyPair("secp384r1");
        byte[] envelope = SignedManifest.sign(MANIFEST, other.getPrivate(), other.getPublic());
        assertThatThrownBy(() -> SignedManifest.verify(envelope, List.of(other.getPublic())))
                .isInstanceOf(ManifestException.class);
    }

    @Test
    void refusesAnEnvelopeWithAnyOfItsOctetsChangedUnlessItStillSaysTheSame() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        Random random = new Random(seed);
        byte[] good = signed();
        for (int i = 0; i < 2_000; i++) {
            byte[] bad = good.clone();
            bad[random.nextInt(bad.length)] ^= (byte) (1 << random.nextInt(8));
            try {
                // A changed key id or an ignored field is allowed; a changed meaning is not.
                assertThat(SignedManifest.verify(bad, List.of(key.getPublic())).manifest())
                        .isEqualTo(MANIFEST);
            } catch (ManifestException refused) {
                assertThat(refused.reason()).isNotEqualTo(Reason.MALFORMED_PAYLOAD);
            }
        }
    }

    @Test
    void refusesTruncatedAndOversizedAndForeignEnvelopes() {
        byte[] good = signed();
        for (int length = 0; length < good.length; length += 7) {
            refuses(java.util.Arrays.copyOf(good, length), Reason.MALFORMED_ENVELOPE);
        }
        refuses(new byte[SignedManifest.MOST_OCTETS + 1], Reason.TOO_LARGE);
        refuses(
                new String(good, StandardCharsets.UTF_8)
                        .replace("vnd.holdfast.manifest", "vnd.in-toto")
                        .getBytes(StandardCharsets.UTF_8),
                Reason.UNKNOWN_PAYLOAD_TYPE);
        refuses("[[[[[[[[[[[[".getBytes(StandardCharsets.UTF_8), Reason.MALFORMED_ENVELOPE);
    }

    @Test
    void refusesASignedPayloadThatBreaksAnInvariant() throws Exception {
        String good = new String(MANIFEST.payload(), StandardCharsets.UTF_8);
        for (String bad : List.of(
                "{}",
                "null",
                "[]",
                good.replace("\"v\":1", "\"v\":2"),
                good.replace("\"securityCounter\":3", "\"securityCounter\":-1"),
                good.replace("\"securityCounter\":3", "\"securityCounter\":3.5"),
                good.replace("\"securityCounter\":3", "\"securityCounter\":99999999999999999999"),
                good.replace("meter.img", "../meter.img"),
                good.replace("1048576", "0"),
                good.replace("[\"rev-a\"]", "[]"),
                good.replace("[\"rev-a\"]", "\"rev-a\""),
                good.replace("\"v\":1", "\"v\":1,\"extra\":true"),
                good.replace("1.2.0", "1.2.0\\u001b[31m"))) {
            refuses(signedPayload(bad), Reason.MALFORMED_PAYLOAD);
        }
    }

    @Test
    void acceptsTheUrlSafeAlphabetAndIgnoresUnknownFieldsOfTheEnvelope() throws Exception {
        String text = new String(signed(), StandardCharsets.UTF_8);
        String urlSafe = text.replace('/', '_')
                .replace("application_vnd", "application/vnd")
                .replace('+', '-')
                .replace("manifest-json", "manifest+json");
        byte[] envelope = urlSafe.replaceFirst("\\{", "{\"future\":{},").getBytes(StandardCharsets.UTF_8);
        assertThat(SignedManifest.verify(envelope, List.of(key.getPublic())).manifest())
                .isEqualTo(MANIFEST);
    }
}
