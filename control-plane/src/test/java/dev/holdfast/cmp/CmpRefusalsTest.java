package dev.holdfast.cmp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Labels;
import dev.holdfast.identity.Claims;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.CmpMessage;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PBMParameter;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIMessage;
import org.bouncycastle.asn1.crmf.CertRequest;
import org.bouncycastle.asn1.crmf.CertTemplateBuilder;
import org.bouncycastle.asn1.crmf.POPOPrivKey;
import org.bouncycastle.asn1.crmf.ProofOfPossession;
import org.bouncycastle.asn1.crmf.SubsequentMessage;
import org.bouncycastle.asn1.nist.NISTObjectIdentifiers;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.AlgorithmIdentifier;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What CMP refuses, each with the protocol's own reason and a sentence: by `openssl cmp` where it can
/// misbehave so, else by a client of our own.
class CmpRefusalsTest {
    private static TestServer server;
    private static int devices;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static DeviceRef device() {
        return server.register("no-" + ++devices);
    }

    private static KeyPair key() {
        return Crypto.generateP256(CmpCaller.RANDOM);
    }

    /// A caller with a fresh secret of a fresh device.
    private static CmpCaller caller() {
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, device());
        return CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(1_000));
    }

    private static String last() {
        return "no-" + devices;
    }

    private static PKIBody ir() {
        return CmpCaller.request(PKIBody.TYPE_INIT_REQ, last(), key());
    }

    /// A device with a certificate, and a caller who signs with it.
    private static CmpCaller enrolled() {
        KeyPair key = key();
        CmpCaller first = caller();
        first.info.add(CmpCaller.IMPLICIT);
        X509Certificate certificate =
                CmpCaller.issued(first.send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, last(), key)));
        return CmpCaller.signed(server, certificate, key.getPrivate());
    }

    // ------------------------------------------------------------------ by openssl cmp

    private String refusedByOpenssl(List<String> credential, String... more) {
        OpensslCmp cmp = new OpensslCmp(server, folder).key("device");
        String[] arguments = java.util.stream.Stream.concat(
                        java.util.stream.Stream.of(
                                "-cmd",
                                "ir",
                                "-newkey",
                                "device.key",
                                "-subject",
                                "/CN=" + last(),
                                "-certout",
                                "device.pem"),
                        java.util.stream.Stream.of(more))
                .toArray(String[]::new);
        var result = cmp.run(credential.isEmpty() ? cmp.secret(device()) : credential, arguments)
                .failed();
        assertThat(cmp.file("device.pem")).doesNotExist();
        return result.text();
    }

    @Test
    void aWrongSecret() {
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, device());
        assertThat(refusedByOpenssl(List.of(
                        "-ref", secret.id(), "-secret", "pass:guess", "-mac", "hmacWithSHA256", "-unprotected_errors")))
                .contains("badMessageCheck")
                .contains("no such shared secret");
        assertThat(server.server().journal().about("device:" + last(), Long.MAX_VALUE, 20).stream()
                        .map(entry -> entry.json().path("body").path("refusal").asText())
                        .toList())
                .contains("secret-wrong");
    }

    @Test
    void anUnprotectedMessage() {
        device();
        assertThat(refusedByOpenssl(List.of("-unprotected_requests", "-ref", "nobody")))
                .contains("badMessageCheck")
                .contains("not protected");
    }

    @Test
    void noProofOfPossession() {
        device();
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, TestServer.device(last()));
        List<String> credential =
                List.of("-ref", secret.id(), "-secret", "pass:" + secret.secret(), "-mac", "hmacWithSHA256");
        assertThat(refusedByOpenssl(credential, "-popo", "-1"))
                .contains("badPOP")
                .contains("no proof of possession");
    }

    @Test
    void somebodyElseWhoVouchesForPossession() {
        device();
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, TestServer.device(last()));
        List<String> credential =
                List.of("-ref", secret.id(), "-secret", "pass:" + secret.secret(), "-mac", "hmacWithSHA256");
        assertThat(refusedByOpenssl(credential, "-popo", "0"))
                .contains("badPOP")
                .contains("raVerified");
    }

    @Test
    void aRecordedRequestThatComesAgain() throws Exception {
        DeviceRef device = device();
        OpensslCmp cmp = new OpensslCmp(server, folder).key("device");
        List<String> secret = cmp.secret(device);
        cmp.run(
                        secret,
                        "-cmd",
                        "ir",
                        "-newkey",
                        "device.key",
                        "-subject",
                        "/CN=" + last(),
                        "-certout",
                        "device.pem",
                        "-reqout",
                        "ir.der certconf.der")
                .succeeded();
        CmpCaller again = new CmpCaller(server, Optional.empty());
        for (var expected : List.of(CmpFailure.TRANSACTION_ID_IN_USE, CmpFailure.BAD_RECIPIENT_NONCE)) {
            byte[] recorded = Files.readAllBytes(
                    cmp.file(expected == CmpFailure.TRANSACTION_ID_IN_USE ? "ir.der" : "certconf.der"));
            CmpCaller.refused(PKIMessage.getInstance(again.post(recorded).body()), expected, "good once");
        }
        assertThat(server.server().identity().certificates(device)).hasSize(1);
    }

    @Test
    void theDefaultOfOldClientsHmacSha1() {
        DeviceRef device = device();
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, device);
        assertThat(refusedByOpenssl(
                        List.of("-ref", secret.id(), "-secret", "pass:" + secret.secret(), "-unprotected_errors")))
                .contains("badAlg")
                .contains("hmacWithSHA256");
    }

    // ------------------------------------------------------------------ by a client of our own

    @Test
    void tooManyIterations() {
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, device());
        for (AlgorithmIdentifier costly : List.of(
                CmpCaller.pbmac1(100_001),
                CmpCaller.pbmac1(2_000_000_000),
                new AlgorithmIdentifier(
                        CMPObjectIdentifiers.passwordBasedMac,
                        new PBMParameter(
                                new byte[16],
                                new AlgorithmIdentifier(NISTObjectIdentifiers.id_sha256),
                                2_000_000_000,
                                new AlgorithmIdentifier(PKCSObjectIdentifiers.id_hmacWithSHA256))))) {
            long begun = System.nanoTime();
            CmpCaller caller = CmpCaller.withSecret(server, secret.id(), secret.secret(), costly);
            CmpCaller.refused(caller.send(ir()), CmpFailure.BAD_ALG, "iteration count");
            assertThat(System.nanoTime() - begun).isLessThan(5_000_000_000L);
        }
    }

    @Test
    void trailingOctetsAndWhatIsNoMessageAndTooMuchOfIt() {
        CmpCaller caller = caller();
        byte[] good = caller.message(ir());
        HttpResponse<byte[]> trailing = caller.post(Arrays.copyOf(good, good.length + 1));
        assertThat(trailing.statusCode()).isEqualTo(400);
        CmpCaller.refused(PKIMessage.getInstance(trailing.body()), CmpFailure.BAD_DATA_FORMAT, "after the message");
        assertThat(caller.post(new byte[0]).statusCode()).isEqualTo(400);
        assertThat(caller.post(new byte[CmpMessage.MOST_OCTETS + 1]).statusCode())
                .isEqualTo(413);
        caller.type = "application/pkcs10";
        assertThat(caller.post(good).statusCode()).isEqualTo(415);
        caller.type = "application/pkixcmp";
        caller.path = "/.well-known/cmp/p/no-such-profile";
        assertThat(caller.post(good).statusCode()).isEqualTo(404);
        caller.path = "/.well-known/cmpish";
        assertThat(caller.post(good).statusCode()).isEqualTo(404);
        caller.path = "/.well-known/cmp/p/device/initialization";
        assertThat(CmpCaller.issued(PKIMessage.getInstance(caller.post(good).body())))
                .isNotNull();
    }

    @Test
    void aMessageForAnotherPath() {
        CmpCaller caller = caller();
        caller.path = "/.well-known/cmp/keyupdate";
        CmpCaller.refused(caller.send(ir()), CmpFailure.BAD_REQUEST, "this path is for kur");
    }

    @Test
    void aNonceThatHasOpenedATransactionBefore() {
        DeviceRef device = device();
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, device);
        CmpCaller first = CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(1_000));
        byte[] nonce = first.nonce;
        CmpCaller.issued(first.send(ir()));
        CmpCaller second = CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(1_000));
        second.nonce = nonce;
        CmpCaller.refused(second.send(ir()), CmpFailure.BAD_SENDER_NONCE, "good once");
    }

    @Test
    void aSecretThatWasUsedAlready() {
        DeviceRef device = device();
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, device);
        CmpCaller first = CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(1_000));
        CmpCaller.issued(first.send(ir()));
        CmpCaller second = CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(1_000));
        CmpCaller.refused(second.send(ir()), CmpFailure.NOT_AUTHORIZED, "");
    }

    @Test
    void aTransactionOfSomebodyElse() {
        CmpCaller mine = caller();
        CmpCaller.issued(mine.send(ir()));
        CmpCaller other = caller();
        other.transaction = mine.transaction;
        other.answered = mine.answered;
        CmpCaller.refused(
                other.send(CmpCaller.confirm(new byte[32], true, "")), CmpFailure.BAD_REQUEST, "no such transaction");
    }

    @Test
    void aCertificateThatNobodyHereIssued() throws Exception {
        KeyPair key = key();
        OpensslCmp cmp = new OpensslCmp(server, folder).key("alien");
        cmp.openssl(
                        "req",
                        "-x509",
                        "-new",
                        "-key",
                        "alien.key",
                        "-subj",
                        "/CN=alien",
                        "-days",
                        "3",
                        "-out",
                        "alien.pem",
                        "-addext",
                        "basicConstraints=critical,CA:FALSE")
                .succeeded();
        var pem = Files.readString(cmp.file("alien.key"));
        var parsed = (org.bouncycastle.openssl.PEMKeyPair)
                new org.bouncycastle.openssl.PEMParser(new java.io.StringReader(pem)).readObject();
        CmpCaller caller = CmpCaller.signed(
                server,
                cmp.certificate("alien"),
                Crypto.privateKey("EC", parsed.getPrivateKeyInfo().getEncoded()));
        CmpCaller.refused(
                caller.send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, "alien", key)),
                CmpFailure.SIGNER_NOT_TRUSTED,
                "no authority of ours");
        // and one that signs with another key than its certificate's
        CmpCaller liar = CmpCaller.signed(server, cmp.certificate("alien"), key.getPrivate());
        CmpCaller.refused(
                liar.send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, "alien", key)),
                CmpFailure.BAD_MESSAGE_CHECK,
                "not signed by the certificate's key");
    }

    @Test
    void aClaimCertificateWhichIsManyDevices() {
        device();
        var opened = (Claims.Made.Opened) server.server()
                .identity()
                .claims()
                .open(
                        new Claims.Wish(
                                TestServer.ENVIRONMENT,
                                "batch",
                                "device",
                                TestServer.MODEL,
                                Labels.NONE,
                                new Claims.Members(Optional.of("no-*"), Set.of()),
                                10,
                                Duration.ofHours(1)),
                        TestServer.TESTER);
        X509Certificate claim = opened.batch().certificate();
        TestServer.await(
                "the claim certificate is known",
                () -> server.server().deviceTls().signer(List.of(claim), "test").isPresent());
        for (int type : new int[] {PKIBody.TYPE_INIT_REQ, PKIBody.TYPE_CERT_REQ, PKIBody.TYPE_KEY_UPDATE_REQ}) {
            CmpCaller.refused(
                    CmpCaller.signed(server, claim, opened.key()).send(CmpCaller.request(type, last(), key())),
                    CmpFailure.NOT_AUTHORIZED,
                    "claim");
        }
    }

    @Test
    void aRequestThatIsTooLarge() {
        CmpCaller.refused(
                caller().send(CmpCaller.request(
                        PKIBody.TYPE_INIT_REQ,
                        last(),
                        key(),
                        CmpCaller.extension(
                                Extension.subjectAlternativeName,
                                new GeneralNames(new GeneralName(GeneralName.dNSName, "a".repeat(20_000)))))),
                CmpFailure.BAD_DATA_FORMAT,
                "octets is not accepted");
    }

    @Test
    void moreTransactionsThanOneDeviceNeeds() {
        CmpCaller device = enrolled();
        PKIMessage last = null;
        for (int i = 0; i <= 30; i++) {
            device.transaction = CmpCaller.fresh();
            device.answered = Optional.empty();
            last = device.send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), key()));
        }
        CmpCaller.refused(Objects.requireNonNull(last), CmpFailure.SYSTEM_UNAVAIL, "too many transactions");
        CmpCaller.issued(caller().send(ir()));
    }

    @Test
    void weakKeysAndOddOnes() throws Exception {
        KeyPairGenerator rsa = KeyPairGenerator.getInstance("RSA");
        rsa.initialize(2_048);
        CmpCaller.refused(
                caller().send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, last(), rsa.generateKeyPair())),
                CmpFailure.BAD_CERT_TEMPLATE,
                "3072");
        KeyPairGenerator curve = KeyPairGenerator.getInstance("EC");
        curve.initialize(new java.security.spec.ECGenParameterSpec("secp521r1"));
        KeyPair odd = curve.generateKeyPair();
        CertRequest request = new CertRequest(
                0,
                new CertTemplateBuilder()
                        .setSubject(new X500Name("CN=odd"))
                        .setPublicKey(
                                SubjectPublicKeyInfo.getInstance(odd.getPublic().getEncoded()))
                        .build(),
                null);
        CmpCaller.refused(
                caller().send(CmpCaller.requestWith(PKIBody.TYPE_INIT_REQ, request, new ProofOfPossession())),
                CmpFailure.BAD_CERT_TEMPLATE,
                "P-256");
    }

    @Test
    void aProofByEncipheringOrKeyAgreement() {
        CmpCaller caller = caller();
        CertRequest request = new CertRequest(
                0,
                new CertTemplateBuilder()
                        .setSubject(new X500Name("CN=" + last()))
                        .setPublicKey(SubjectPublicKeyInfo.getInstance(
                                key().getPublic().getEncoded()))
                        .build(),
                null);
        for (int type : new int[] {ProofOfPossession.TYPE_KEY_ENCIPHERMENT, ProofOfPossession.TYPE_KEY_AGREEMENT}) {
            CmpCaller.refused(
                    caller().send(CmpCaller.requestWith(
                            PKIBody.TYPE_INIT_REQ,
                            request,
                            new ProofOfPossession(type, new POPOPrivKey(SubsequentMessage.encrCert)))),
                    CmpFailure.BAD_POP,
                    "keys that sign");
        }
        assertThat(caller).isNotNull();
    }

    @Test
    void aProofOverAnotherRequest() throws Exception {
        CmpCaller caller = caller();
        KeyPair key = key();
        var good = org.bouncycastle.asn1.crmf.CertReqMessages.getInstance(
                        CmpCaller.request(PKIBody.TYPE_INIT_REQ, last(), key).getContent())
                .toCertReqMsgArray()[0];
        CertRequest changed = new CertRequest(
                0,
                new CertTemplateBuilder()
                        .setPublicKey(
                                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()))
                        .build(),
                null);
        CmpCaller.refused(
                caller.send(CmpCaller.requestWith(PKIBody.TYPE_INIT_REQ, changed, good.getPopo())),
                CmpFailure.BAD_POP,
                "not signed by the key");
    }

    @Test
    void aWishToBeAnAuthorityAnotherSubjectAndOtherNames() {
        CmpCaller.refused(
                caller().send(CmpCaller.request(
                        PKIBody.TYPE_INIT_REQ,
                        last(),
                        key(),
                        CmpCaller.extension(Extension.basicConstraints, new BasicConstraints(true)))),
                CmpFailure.BAD_CERT_TEMPLATE,
                "CA");
        CmpCaller.refused(
                caller().send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, "somebody-else", key())),
                CmpFailure.BAD_CERT_TEMPLATE,
                "subject");
        CmpCaller.refused(
                caller().send(CmpCaller.request(
                        PKIBody.TYPE_INIT_REQ,
                        last(),
                        key(),
                        CmpCaller.extension(
                                Extension.subjectAlternativeName,
                                new GeneralNames(new GeneralName(GeneralName.dNSName, "bank.example"))))),
                CmpFailure.BAD_CERT_TEMPLATE,
                "alternative names");
    }

    @Test
    void aRenewalThatIsNotSignedWithTheCertificateOrNamesAnother() {
        CmpCaller.refused(
                caller().send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), key())),
                CmpFailure.NOT_AUTHORIZED,
                "kur is signed");
        CmpCaller device = enrolled();
        CmpCaller.refused(
                device.send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, "somebody-else", key())),
                CmpFailure.BAD_CERT_TEMPLATE,
                "subject");
        CmpCaller again = enrolled();
        CmpCaller.refused(again.send(ir()), CmpFailure.BAD_REQUEST, "kur");
    }

    @Test
    void aRevokedCertificateCanNeitherRenewNorAsk() {
        CmpCaller device = enrolled();
        var certificates = server.server().identity().certificates(TestServer.device(last()));
        server.server()
                .identity()
                .revoke(
                        certificates.getFirst().serial(),
                        dev.holdfast.ca.RevocationReason.KEY_COMPROMISE,
                        "stolen",
                        TestServer.TESTER);
        CmpCaller.refused(
                device.send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), key())),
                CmpFailure.CERT_REVOKED,
                "revoked");
        TestServer.await(
                "the revocation is in memory",
                () -> server.server()
                                .ca()
                                .standings()
                                .find(certificates.getFirst().serial())
                                .orElseThrow()
                                .state()
                        == dev.holdfast.ca.CertificateState.REVOKED);
        device.answered = Optional.empty();
        device.transaction = CmpCaller.fresh();
        CmpCaller.refused(
                device.send(CmpCaller.question(CMPObjectIdentifiers.id_it_caCerts)), CmpFailure.NOT_AUTHORIZED, "");
    }

    @Test
    void pathAndHeaderThatNameDifferentProfiles() {
        CmpCaller caller = caller();
        caller.path = "/.well-known/cmp/p/device";
        caller.info.add(new InfoTypeAndValue(
                CMPObjectIdentifiers.id_it_certProfile,
                new org.bouncycastle.asn1.DERSequence(new org.bouncycastle.asn1.DERUTF8String("other"))));
        CmpCaller.refused(caller.send(ir()), CmpFailure.BAD_REQUEST, "different profiles");
    }

    @Test
    void guessingIsSlowedDownForTheGuesserAlone() {
        SharedSecrets.Issued.Secret secret = CmpCaller.secret(server, device());
        for (int i = 0; i < 10; i++) {
            CmpCaller.refused(
                    CmpCaller.withSecret(server, secret.id(), "guess", CmpCaller.pbmac1(1_000))
                            .send(ir()),
                    CmpFailure.BAD_MESSAGE_CHECK,
                    "no such");
        }
        CmpCaller.refused(
                CmpCaller.withSecret(server, secret.id(), "guess", CmpCaller.pbmac1(1_000))
                        .send(ir()),
                CmpFailure.SYSTEM_UNAVAIL,
                "too many");
        CmpCaller.issued(caller().send(ir()));
    }

    @Test
    void keysOfEveryKindThatIsCertified() {
        for (KeyKind kind : List.of(KeyKind.EC_P384, KeyKind.ED25519, KeyKind.ML_DSA_65)) {
            KeyPair key = Crypto.generate(kind, CmpCaller.RANDOM);
            X509Certificate issued =
                    CmpCaller.issued(caller().send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, last(), key)));
            assertThat(issued.getPublicKey().getEncoded())
                    .isEqualTo(key.getPublic().getEncoded());
        }
    }
}
