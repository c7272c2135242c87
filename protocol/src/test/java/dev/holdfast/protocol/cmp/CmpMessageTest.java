package dev.holdfast.protocol.cmp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.CertificationRequestException;
import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.bouncycastle.asn1.ASN1Encodable;
import org.bouncycastle.asn1.ASN1Encoding;
import org.bouncycastle.asn1.ASN1Integer;
import org.bouncycastle.asn1.DERBitString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PBMParameter;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIHeaderBuilder;
import org.bouncycastle.asn1.cmp.PKIMessage;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.GeneralName;
import org.junit.jupiter.api.Test;

/// Messages that `openssl cmp` 3.0 wrote (a shared secret `secret1` under the reference `abc`, and a
/// certificate of a test CA), and what is wrong with their like.
class CmpMessageTest {
    static byte[] vector(String name) {
        try (InputStream in = CmpMessageTest.class.getResourceAsStream("/cmp/openssl-" + name + ".b64")) {
            return Base64.getMimeDecoder().decode(in.readAllBytes());
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    private static byte[] secret(String text) {
        return text.getBytes(StandardCharsets.US_ASCII);
    }

    private static void refused(CmpFailure failure, String text, ThrowingCallable what) {
        assertThatThrownBy(what)
                .isInstanceOfSatisfying(
                        CmpException.class, e -> assertThat(e.failure()).isEqualTo(failure))
                .hasMessageContaining(text);
    }

    @Test
    void readsAnInitializationRequestAndChecksItsCode() throws Exception {
        CmpMessage message = CmpMessage.parse(vector("ir"));
        assertThat(message.header().version()).isEqualTo(2);
        assertThat(message.header().transactionId()).hasSize(32);
        assertThat(message.header().implicitConfirm()).isFalse();
        assertThat(message.body().name()).isEqualTo("ir");
        assertThat(MessageProtection.of(message)).isInstanceOfSatisfying(MessageProtection.BySecret.class, by -> {
            assertThat(new String(by.reference().getOctets(), StandardCharsets.US_ASCII))
                    .isEqualTo("abc");
            assertThat(by.verify(secret("secret1"))).isTrue();
            assertThat(by.verify(secret("secret2"))).isFalse();
        });
        var request = (CmpBody.CertificateRequest) message.body();
        CertificationRequest verified = CertificationRequest.verify(request.request());
        assertThat(verified.commonName()).contains("dev-1");
        assertThat(verified.keyKind()).isEqualTo(KeyKind.EC_P256);
    }

    @Test
    void readsWhatACertificateSigned() throws Exception {
        for (String name : List.of("kur", "rr", "genm", "p10cr")) {
            CmpMessage message = CmpMessage.parse(vector(name));
            assertThat(message.body().name()).isEqualTo(name);
            assertThat(MessageProtection.of(message))
                    .isInstanceOfSatisfying(
                            MessageProtection.BySignature.class,
                            by -> assertThat(by.leaf().getSubjectX500Principal().getName())
                                    .isEqualTo("CN=dev-1"));
        }
        assertThat(CmpMessage.parse(vector("kur")).header().implicitConfirm()).isTrue();
        assertThat(CmpMessage.parse(vector("kur")).body())
                .isInstanceOfSatisfying(
                        CmpBody.CertificateRequest.class,
                        kur -> assertThat(kur.replaces())
                                .contains(Answers.id(
                                        message("kur").extraCertificates().getFirst())));
        assertThat(CmpMessage.parse(vector("rr")).body())
                .isInstanceOfSatisfying(
                        CmpBody.RevocationRequest.class,
                        rr -> assertThat(rr.reason()).contains(1));
        var question =
                ((CmpBody.GeneralMessage) CmpMessage.parse(vector("genm")).body()).questions();
        assertThat(GeneralQuestion.of(question.getFirst())).isInstanceOf(GeneralQuestion.Authorities.class);
    }

    private static CmpMessage message(String name) {
        try {
            return CmpMessage.parse(vector(name));
        } catch (CmpException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void refusesAnUnprotectedMessage() {
        refused(CmpFailure.BAD_MESSAGE_CHECK, "not protected", () -> MessageProtection.of(message("ir-un")));
    }

    @Test
    void refusesARequestWithoutProofOfPossessionAndOneWhereSomebodyElseVouches() {
        for (String name : List.of("ir-nopopo", "ir-ra")) {
            var request = (CmpBody.CertificateRequest) message(name).body();
            assertThatThrownBy(() -> CertificationRequest.verify(request.request()))
                    .isInstanceOfSatisfying(
                            CertificationRequestException.class,
                            e -> assertThat(e.reason())
                                    .isEqualTo(CertificationRequestException.Reason.SIGNATURE_WRONG));
        }
    }

    @Test
    void refusesAnyChangeOfASignedMessage() {
        byte[] good = vector("kur");
        for (int i = 0; i < good.length; i++) {
            byte[] bytes = good.clone();
            bytes[i] ^= 0x01;
            try {
                CmpMessage message = CmpMessage.parse(bytes);
                MessageProtection.of(message);
                // what is not covered by the signature are the certificates, which the caller checks by their issuer
                assertThat(message.protectedPart())
                        .as("octet " + i)
                        .isEqualTo(message("kur").protectedPart());
            } catch (CmpException expected) {
                assertThat(expected.text()).isNotEmpty();
            }
        }
    }

    @Test
    void refusesTrailingOctetsIndefiniteLengthsDepthAndSize() {
        byte[] good = vector("ir");
        refused(
                CmpFailure.BAD_DATA_FORMAT,
                "after the message",
                () -> CmpMessage.parse(Arrays.copyOf(good, good.length + 1)));
        refused(CmpFailure.BAD_DATA_FORMAT, "octets", () -> CmpMessage.parse(new byte[CmpMessage.MOST_OCTETS + 1]));
        refused(CmpFailure.BAD_DATA_FORMAT, "octets", () -> CmpMessage.parse(new byte[0]));
        byte[] nested = new byte[60_000];
        for (int i = 0; i + 4 <= nested.length; i += 4) {
            int rest = nested.length - i - 4;
            nested[i] = 0x30;
            nested[i + 1] = (byte) 0x82;
            nested[i + 2] = (byte) (rest >> 8);
            nested[i + 3] = (byte) rest;
        }
        refused(CmpFailure.BAD_DATA_FORMAT, "deeply", () -> CmpMessage.parse(nested));
        refused(
                CmpFailure.BAD_DATA_FORMAT,
                "DER does not have",
                () -> CmpMessage.parse(new byte[] {0x30, (byte) 0x80, 0, 0}));
        refused(
                CmpFailure.BAD_DATA_FORMAT,
                "shortest",
                () -> CmpMessage.parse(new byte[] {0x30, (byte) 0x81, 2, 5, 0}));
    }

    private static PKIHeaderBuilder header() {
        GeneralName name = new GeneralName(new X500Name("CN=dev-1"));
        return new PKIHeaderBuilder(2, name, name)
                .setTransactionID(new byte[16])
                .setSenderNonce(new byte[16])
                .setSenderKID("abc".getBytes(StandardCharsets.US_ASCII));
    }

    private static CmpMessage with(PKIHeaderBuilder header, PKIBody body) throws CmpException {
        try {
            return CmpMessage.parse(
                    new PKIMessage(header.build(), body, new DERBitString(new byte[32])).getEncoded(ASN1Encoding.DER));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static PKIBody poll() {
        return new PKIBody(PKIBody.TYPE_POLL_REQ, new DERSequence(new DERSequence(new ASN1Integer(0))));
    }

    @Test
    void refusesHeadersThatLackWhatTheyNeed() {
        refused(CmpFailure.BAD_REQUEST, "transactionID", () -> with(header().setTransactionID(new byte[15]), poll()));
        refused(CmpFailure.BAD_SENDER_NONCE, "senderNonce", () -> with(header().setSenderNonce(new byte[8]), poll()));
        refused(CmpFailure.BAD_RECIPIENT_NONCE, "recipNonce", () -> with(header().setRecipNonce(new byte[1]), poll()));
        GeneralName name = new GeneralName(new X500Name("CN=dev-1"));
        refused(
                CmpFailure.UNSUPPORTED_VERSION,
                "pvno",
                () -> with(
                        new PKIHeaderBuilder(1, name, name)
                                .setTransactionID(new byte[16])
                                .setSenderNonce(new byte[16]),
                        poll()));
    }

    @Test
    void refusesMessagesThatOnlyAuthoritiesSend() {
        refused(CmpFailure.BAD_REQUEST, "not offered", () -> with(header(), Answers.confirmed()));
        refused(
                CmpFailure.BAD_REQUEST,
                "not offered",
                () -> with(
                        header(), Answers.general(List.of(new InfoTypeAndValue(CMPObjectIdentifiers.id_it_caCerts)))));
    }

    private static AlgorithmIdentifier passwordBased(int iterations, AlgorithmIdentifier owf, AlgorithmIdentifier mac) {
        return new AlgorithmIdentifier(
                CMPObjectIdentifiers.passwordBasedMac, new PBMParameter(new byte[16], owf, iterations, mac));
    }

    @Test
    void refusesTooFewAndTooManyIterationsAndWeakFunctions() {
        AlgorithmIdentifier sha256 = new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256);
        AlgorithmIdentifier hmac = new AlgorithmIdentifier(PKCSObjectIdentifiers.id_hmacWithSHA256);
        ASN1Encodable sha1 = org.bouncycastle.asn1.oiw.OIWObjectIdentifiers.idSHA1;
        for (int count : new int[] {-1, 0, 99, 100_001, Integer.MAX_VALUE}) {
            refused(CmpFailure.BAD_ALG, "iteration count", () -> MacAlgorithm.of(passwordBased(count, sha256, hmac)));
        }
        refused(
                CmpFailure.BAD_ALG,
                "SHA-256",
                () -> MacAlgorithm.of(
                        passwordBased(500, sha256, new AlgorithmIdentifier(PKCSObjectIdentifiers.id_hmacWithSHA1))));
        refused(
                CmpFailure.BAD_ALG,
                "SHA-256",
                () -> MacAlgorithm.of(
                        passwordBased(500, AlgorithmIdentifier.getInstance(new DERSequence(sha1)), hmac)));
        for (int count : new int[] {999, 100_001}) {
            refused(
                    CmpFailure.BAD_ALG,
                    "iteration count",
                    () -> MacAlgorithm.of(MacAlgorithm.pbmac1(
                                    new org.bouncycastle.asn1.DEROctetString(new byte[16]),
                                    MacAlgorithm.Hash.SHA256,
                                    count,
                                    32,
                                    MacAlgorithm.Hash.SHA256)
                            .identifier()));
        }
        refused(
                CmpFailure.BAD_ALG,
                "PasswordBasedMac or",
                () -> MacAlgorithm.of(new AlgorithmIdentifier(CMPObjectIdentifiers.dhBasedMac)));
    }

    /// `openssl kdf ... PBKDF2` with SHA-512, 2,000 times, then `openssl mac ... HMAC` with SHA-384.
    @Test
    void computesPbmac1AsOpensslDoes() throws Exception {
        MacAlgorithm ours = MacAlgorithm.pbmac1(
                new org.bouncycastle.asn1.DEROctetString(secret("saltsalt")),
                MacAlgorithm.Hash.SHA512,
                2_000,
                48,
                MacAlgorithm.Hash.SHA384);
        assertThat(MacAlgorithm.of(ours.identifier()).code(secret("secret1"), secret("message")))
                .asHexString()
                .isEqualTo("F5C862BFDED2606F348D264F1AF72153FB8A507213BE84A6045F4591AF48EBA5"
                        + "1D1529171797EE651542E22F0E74149E");
        assertThat(MacAlgorithm.of(ours.salted(new byte[8]).identifier())).isEqualTo(ours.salted(new byte[8]));
    }

    @Test
    void answersAreProtectedAndNameTheirQuestion() throws Exception {
        CmpMessage ir = message("ir");
        var by = (MessageProtection.BySecret) MessageProtection.of(ir);
        MacAlgorithm salted = by.algorithm().salted(new byte[16]);
        byte[] sealed = new AnswerEnvelope(
                        Optional.of(ir.header()),
                        new X500Name("CN=Holdfast CMP"),
                        java.time.Instant.parse("2026-01-01T00:00:00Z"),
                        "00".repeat(16),
                        true,
                        Optional.empty(),
                        List.of())
                .seal(
                        Answers.error(CmpFailure.NOT_AUTHORIZED, "no"),
                        new AnswerEnvelope.Protection.Secret(salted, bytes -> salted.code(secret("secret1"), bytes)));
        PKIMessage answer = PKIMessage.getInstance(sealed);
        assertThat(answer.getHeader().getRecipNonce().getOctets())
                .asHexString()
                .isEqualToIgnoringCase(ir.header().senderNonce());
        assertThat(answer.getHeader().getTransactionID().getOctets())
                .asHexString()
                .isEqualToIgnoringCase(ir.header().transactionId());
        byte[] part = new org.bouncycastle.asn1.cmp.ProtectedPart(answer.getHeader(), answer.getBody())
                .getEncoded(ASN1Encoding.DER);
        assertThat(MacAlgorithm.of(answer.getHeader().getProtectionAlg())
                        .verify(secret("secret1"), part, answer.getProtection().getOctets()))
                .isTrue();
        var status = org.bouncycastle.asn1.cmp.ErrorMsgContent.getInstance(
                        answer.getBody().getContent())
                .getPKIStatusInfo();
        assertThat(CmpFailure.NOT_AUTHORIZED.in(status.getFailInfo())).isTrue();
        assertThat(CmpFailure.BAD_ALG.in(status.getFailInfo())).isFalse();
    }
}
