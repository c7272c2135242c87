package dev.holdfast.cmp;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.protocol.cmp.CmpFailure;
import dev.holdfast.protocol.cmp.CmpMessage;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.testkit.FakeClock;
import java.io.IOException;
import java.nio.file.Files;
import java.security.KeyPair;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.DEROctetString;
import org.bouncycastle.asn1.DERSequence;
import org.bouncycastle.asn1.cmp.CMPObjectIdentifiers;
import org.bouncycastle.asn1.cmp.CRLSource;
import org.bouncycastle.asn1.cmp.CRLStatus;
import org.bouncycastle.asn1.cmp.CertReqTemplateContent;
import org.bouncycastle.asn1.cmp.InfoTypeAndValue;
import org.bouncycastle.asn1.cmp.PKIBody;
import org.bouncycastle.asn1.cmp.PKIMessage;
import org.bouncycastle.asn1.cmp.RootCaKeyUpdateContent;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.CertificateList;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.Time;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What becomes of transactions: confirmed, rejected, forgotten by their device, interrupted by a crash, gone
/// on with at another node; and the questions of genm that `openssl cmp` 3.0 can't ask.
class CmpTransactionsTest {
    private static FakeClock clock;
    private static TestServer server;
    private static int devices;

    @BeforeAll
    static void start() throws IOException {
        clock = new FakeClock(Instant.now());
        server = TestServer.start(
                Files.createTempDirectory("holdfast-test-server"),
                TestDatabase.freshAddress(),
                Map.of("HOLDFAST_CERTIFICATES_RENEWABLE_AFTER_EXPIRY", "P30D"),
                clock);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static KeyPair key() {
        return Crypto.generateP256(CmpCaller.RANDOM);
    }

    private static String last() {
        return "life-" + devices;
    }

    private static DeviceRef lastDevice() {
        return TestServer.device(last());
    }

    /// A caller with a secret of a fresh device.
    private static CmpCaller caller() {
        DeviceRef device = server.register("life-" + ++devices);
        return again(device);
    }

    private static CmpCaller again(DeviceRef device) {
        var secret = CmpCaller.secret(server, device);
        return CmpCaller.withSecret(server, secret.id(), secret.secret(), CmpCaller.pbmac1(2_000));
    }

    private static X509Certificate ir(CmpCaller caller, KeyPair key) {
        return CmpCaller.issued(caller.send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, last(), key)));
    }

    /// A device with a confirmed certificate, as one that signs with it.
    private static CmpCaller enrolled() {
        KeyPair key = key();
        CmpCaller first = caller();
        first.info.add(CmpCaller.IMPLICIT);
        return CmpCaller.signed(server, ir(first, key), key.getPrivate());
    }

    private static byte[] hash(X509Certificate certificate) {
        try {
            return MessageDigest.getInstance("SHA-256").digest(Certificates.der(certificate));
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError(e);
        }
    }

    private static IssuedCertificate record(X509Certificate certificate) {
        return server.server()
                .identity()
                .certificate(Serial.of(certificate.getSerialNumber()))
                .orElseThrow();
    }

    private static void laterThanConfirmationIsAwaited() {
        clock.advance(CmpTransactions.CONFIRM_WITHIN.plusSeconds(1));
        server.server().cmp().sweep();
    }

    @Test
    void confirmedInTimeItStays() {
        CmpCaller caller = caller();
        X509Certificate certificate = ir(caller, key());
        assertThat(caller.send(CmpCaller.confirm(hash(certificate), true, ""))
                        .getBody()
                        .getType())
                .isEqualTo(PKIBody.TYPE_CONFIRM);
        CmpCaller.refused(
                caller.send(CmpCaller.confirm(hash(certificate), true, "")), CmpFailure.CERT_CONFIRMED, "already");
        laterThanConfirmationIsAwaited();
        assertThat(record(certificate).state()).isEqualTo(CertificateState.PENDING);
    }

    @Test
    void rejectedItIsRevokedAndTheKeyMayBeTriedAgain() {
        KeyPair key = key();
        CmpCaller caller = caller();
        X509Certificate certificate = ir(caller, key);
        assertThat(caller.send(CmpCaller.confirm(hash(certificate), false, "wrong\u0007 name"))
                        .getBody()
                        .getType())
                .isEqualTo(PKIBody.TYPE_CONFIRM);
        assertThat(record(certificate).state()).isEqualTo(CertificateState.REVOKED);
        assertThat(server.server().journal().about("device:" + last(), Long.MAX_VALUE, 10).stream()
                        .map(entry -> entry.json().path("reason").asText()))
                .contains("its device rejected it: wrong? name");
        X509Certificate second = ir(again(lastDevice()), key);
        assertThat(second.getSerialNumber()).isNotEqualTo(certificate.getSerialNumber());
    }

    @Test
    void aHashOfAnotherCertificateConfirmsNothing() {
        CmpCaller caller = caller();
        X509Certificate certificate = ir(caller, key());
        CmpCaller.refused(caller.send(CmpCaller.confirm(new byte[32], true, "")), CmpFailure.BAD_CERT_ID, "certHash");
        laterThanConfirmationIsAwaited();
        assertThat(record(certificate).state()).isEqualTo(CertificateState.REVOKED);
    }

    @Test
    void notConfirmedInTimeItIsRevokedAndNoLaterMessageChangesThat() {
        CmpCaller caller = caller();
        PKIMessage ip = caller.send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, last(), key()));
        X509Certificate certificate = CmpCaller.issued(ip);
        assertThat(ip.getHeader().getGeneralInfo())
                .extracting(InfoTypeAndValue::getInfoType)
                .containsExactly(CMPObjectIdentifiers.it_confirmWaitTime);
        server.server().cmp().sweep();
        assertThat(record(certificate).state()).isEqualTo(CertificateState.PENDING);
        laterThanConfirmationIsAwaited();
        assertThat(record(certificate).state()).isEqualTo(CertificateState.REVOKED);
        CmpCaller.refused(
                caller.send(CmpCaller.confirm(hash(certificate), true, "")), CmpFailure.BAD_REQUEST, "awaits");
    }

    @Test
    void implicitlyConfirmedItIsNotWaitedFor() {
        CmpCaller caller = caller();
        caller.info.add(CmpCaller.IMPLICIT);
        PKIMessage ip = caller.send(CmpCaller.request(PKIBody.TYPE_INIT_REQ, last(), key()));
        assertThat(ip.getHeader().getGeneralInfo())
                .extracting(InfoTypeAndValue::getInfoType)
                .containsExactly(CMPObjectIdentifiers.it_implicitConfirm);
        laterThanConfirmationIsAwaited();
        assertThat(record(CmpCaller.issued(ip)).state()).isEqualTo(CertificateState.PENDING);
    }

    @Test
    void usedOverMutualTlsItIsBeyondDoubtWithoutConfirmation() {
        X509Certificate certificate = ir(caller(), key());
        assertThat(server.server().identity().admit(certificate, clock.instant()))
                .isInstanceOf(Admission.Admitted.class);
        TestServer.await("in use", () -> record(certificate).state() == CertificateState.CURRENT);
        laterThanConfirmationIsAwaited();
        assertThat(record(certificate).state()).isEqualTo(CertificateState.CURRENT);
    }

    /// The answer was lost: the device asks anew with the same key, gets the same certificate and confirms
    /// that.
    @Test
    void aLostAnswerIsHealedByAskingAnew() {
        CmpCaller device = enrolled();
        KeyPair next = key();
        X509Certificate lost =
                CmpCaller.issued(device.send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), next)));
        device.transaction = CmpCaller.fresh();
        device.answered = Optional.empty();
        X509Certificate got =
                CmpCaller.issued(device.send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), next)));
        assertThat(got).isEqualTo(lost);
        device.send(CmpCaller.confirm(hash(got), true, ""));
        laterThanConfirmationIsAwaited();
        assertThat(record(got).state()).isEqualTo(CertificateState.PENDING);
    }

    /// A crash between the certificate and the note of it: nobody has the certificate, so it must not stay
    /// good.
    @Test
    void whatACrashLeftUndecidedIsRevoked() throws Exception {
        CmpCaller device = enrolled();
        KeyPair next = key();
        byte[] kur = device.message(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), next));
        CmpMessage message = CmpMessage.parse(kur);
        var asked = CertificateRequests.Asked.of(
                (dev.holdfast.protocol.cmp.CmpBody.CertificateRequest) message.body(), Optional.empty());
        CmpTransactions transactions = new CmpTransactions(server.server().ca(), TestServer.ENVIRONMENT);
        Party party = new Party.ByDevice(message.extraCertificates().getFirst());
        CmpTransaction opened = new CmpTransaction(
                message.header().transactionId(),
                party.name(),
                "00".repeat(16),
                CmpTransaction.State.DECIDING,
                asked.kind(),
                0,
                Optional.of(asked.der()),
                Optional.empty(),
                false,
                Optional.empty(),
                clock.instant(),
                clock.instant().plus(CmpTransactions.CONFIRM_WITHIN));
        assertThat(server.server()
                        .journal()
                        .<Optional<Fault>>commit(
                                tx -> transactions.open(tx, opened, message.header(), party.repeatableUntil())))
                .isEmpty();
        server.server()
                .identity()
                .enrolment()
                .enrol(
                        CertificationRequest.create(last(), next),
                        Applicant.of(
                                "CMP",
                                new Credential.Operational(
                                        message.extraCertificates().getFirst()),
                                "test"));
        List<IssuedCertificate> both = server.server().identity().certificates(lastDevice());
        assertThat(both).extracting(IssuedCertificate::state).containsOnly(CertificateState.PENDING);
        laterThanConfirmationIsAwaited();
        assertThat(server.server().identity().certificates(lastDevice()))
                .filteredOn(c -> c.state() == CertificateState.REVOKED)
                .extracting(IssuedCertificate::keyFingerprint)
                .containsExactly(Certificates.keyFingerprint(next.getPublic().getEncoded()));
        // and the message that opened it is still good only once
        CmpCaller.refused(
                PKIMessage.getInstance(device.post(kur).body()), CmpFailure.TRANSACTION_ID_IN_USE, "good once");
    }

    @Test
    void anotherNodeGoesOnWithIt() {
        CmpCaller device = enrolled();
        X509Certificate next =
                CmpCaller.issued(device.send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), key())));
        try (TestServer other = server.secondNode(Map.of())) {
            device.answersFrom(other);
            byte[] confirmation = device.message(CmpCaller.confirm(hash(next), true, ""));
            assertThat(device.sendRaw(confirmation).getBody().getType()).isEqualTo(PKIBody.TYPE_CONFIRM);
            device.answersFrom(server);
            CmpCaller.refused(
                    PKIMessage.getInstance(device.post(confirmation).body()),
                    CmpFailure.BAD_RECIPIENT_NONCE,
                    "good once");
        }
        laterThanConfirmationIsAwaited();
        assertThat(record(next).state()).isEqualTo(CertificateState.PENDING);
    }

    @Test
    void aDeviceThatGivesUpDoesNotWantWhatItGot() {
        CmpCaller caller = caller();
        X509Certificate certificate = ir(caller, key());
        assertThat(caller.send(new PKIBody(
                                PKIBody.TYPE_ERROR,
                                dev.holdfast.protocol.cmp.Answers.error(CmpFailure.SYSTEM_FAILURE, "no space left")
                                        .getContent()))
                        .getBody()
                        .getType())
                .isEqualTo(PKIBody.TYPE_CONFIRM);
        assertThat(record(certificate).state()).isEqualTo(CertificateState.REVOKED);
    }

    @Test
    void anExpiredCertificateRenewsItselfWithinItsWindowAndAsksNothingElse() {
        CmpCaller device = enrolled();
        Instant end =
                server.server().identity().certificates(lastDevice()).getFirst().notAfter();
        Instant before = clock.instant();
        try {
            clock.set(end.plusSeconds(60));
            CmpCaller.refused(
                    device.send(CmpCaller.question(CMPObjectIdentifiers.id_it_caCerts)),
                    CmpFailure.SIGNER_NOT_TRUSTED,
                    "not valid now");
            device.answered = Optional.empty();
            CmpCaller.issued(device.send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), key())));
            clock.set(end.plus(Duration.ofDays(3650)));
            device.answered = Optional.empty();
            device.transaction = CmpCaller.fresh();
            CmpCaller.refused(
                    device.send(CmpCaller.request(PKIBody.TYPE_KEY_UPDATE_REQ, last(), key())),
                    CmpFailure.SIGNER_NOT_TRUSTED,
                    "ended");
        } finally {
            clock.set(before);
        }
    }

    // ------------------------------------------------------------------ genm (RFC 9483 section 4.3)

    @Test
    void theRootsSuccessorIsToldWithWhatLeadsToIt() throws Exception {
        CmpCaller device = enrolled();
        X509Certificate root = server.server().ca().authorities().root().certificate();
        PKIBody question = CmpCaller.question(
                CMPObjectIdentifiers.id_it_rootCaCert, dev.holdfast.protocol.cmp.Answers.certificate(root));
        InfoTypeAndValue same = CmpCaller.answer(device.send(question));
        assertThat(same.getInfoType()).isEqualTo(CMPObjectIdentifiers.id_it_rootCaKeyUpdate);
        assertThat(same.getInfoValue()).isNull();
        InfoTypeAndValue unknown =
                CmpCaller.answer(device.send(CmpCaller.question(CMPObjectIdentifiers.id_it_rootCaCert)));
        assertThat(update(unknown).getNewWithNew().getEncoded()).isEqualTo(root.getEncoded());

        server.server().rollover().rollovers().startRoot(100, "twenty years", TestServer.TESTER);
        RootCaKeyUpdateContent next = update(CmpCaller.answer(device.send(question)));
        X509Certificate newest = Certificates.parse(next.getNewWithNew().getEncoded());
        newest.verify(newest.getPublicKey());
        assertThat(newest.getPublicKey()).isNotEqualTo(root.getPublicKey());
        X509Certificate newWithOld = Certificates.parse(next.getNewWithOld().getEncoded());
        assertThat(newWithOld.getPublicKey()).isEqualTo(newest.getPublicKey());
        newWithOld.verify(root.getPublicKey());
        X509Certificate oldWithNew = Certificates.parse(next.getOldWithNew().getEncoded());
        assertThat(oldWithNew.getPublicKey()).isEqualTo(root.getPublicKey());
        oldWithNew.verify(newest.getPublicKey());
    }

    private static RootCaKeyUpdateContent update(InfoTypeAndValue answer) {
        return RootCaKeyUpdateContent.getInstance(answer.getInfoValue());
    }

    @Test
    void theRequestTemplateNamesTheKeysOfTheProfile() {
        InfoTypeAndValue answer =
                CmpCaller.answer(enrolled().send(CmpCaller.question(CMPObjectIdentifiers.id_it_certReqTemplate)));
        var template = CertReqTemplateContent.getInstance(answer.getInfoValue());
        assertThat(template.getKeySpec().size()).isEqualTo(5);
        assertThat(template.getCertTemplate().getSubject()).isNull();
        CmpCaller elsewhere = enrolled();
        elsewhere.info.add(new InfoTypeAndValue(
                CMPObjectIdentifiers.id_it_certProfile,
                new DERSequence(new org.bouncycastle.asn1.DERUTF8String("no-such"))));
        CmpCaller.refused(
                elsewhere.send(CmpCaller.question(CMPObjectIdentifiers.id_it_certReqTemplate)),
                CmpFailure.BAD_REQUEST,
                "no certificate profile");
    }

    @Test
    void revocationListsThatAreNewerAreTold() throws Exception {
        CmpCaller device = enrolled();
        var issuer = server.server()
                .ca()
                .authorities()
                .devices(TestServer.ENVIRONMENT)
                .orElseThrow()
                .certificate();
        CRLSource source = new CRLSource(
                null,
                new GeneralNames(new GeneralName(
                        X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded()))));
        var first = lists(device, new CRLStatus(source, null));
        CertificateList list = CertificateList.getInstance(first.getObjectAt(0));
        assertThat(list.getIssuer())
                .isEqualTo(X500Name.getInstance(issuer.getSubjectX500Principal().getEncoded()));
        InfoTypeAndValue none = CmpCaller.answer(device.send(
                question(new CRLStatus(source, new Time(Date.from(Instant.parse("2040-01-01T00:00:00Z")))))));
        assertThat(none.getInfoType()).isEqualTo(CMPObjectIdentifiers.id_it_crls);
        assertThat(none.getInfoValue()).isNull();
        CmpCaller.refused(
                device.send(question(new CRLStatus(
                        new CRLSource(null, new GeneralNames(new GeneralName(new X500Name("CN=nobody")))), null))),
                CmpFailure.BAD_CERT_ID,
                "no authority");
    }

    private static PKIBody question(CRLStatus status) {
        return CmpCaller.question(CMPObjectIdentifiers.id_it_crlStatusList, new DERSequence(status));
    }

    private static ASN1Sequence lists(CmpCaller device, CRLStatus status) {
        InfoTypeAndValue answer = CmpCaller.answer(device.send(question(status)));
        assertThat(answer.getInfoType()).isEqualTo(CMPObjectIdentifiers.id_it_crls);
        return ASN1Sequence.getInstance(answer.getInfoValue());
    }

    @Test
    void anotherHashIsTakenWhereItIsNamed() throws Exception {
        CmpCaller caller = caller();
        X509Certificate certificate = ir(caller, key());
        byte[] hash = MessageDigest.getInstance("SHA-512").digest(Certificates.der(certificate));
        var status = new org.bouncycastle.asn1.cmp.CertStatus(
                hash,
                java.math.BigInteger.ZERO,
                null,
                new org.bouncycastle.asn1.x509.AlgorithmIdentifier(
                        org.bouncycastle.asn1.nist.NISTObjectIdentifiers.id_sha512));
        assertThat(new DEROctetString(hash).getOctetsLength()).isEqualTo(64);
        assertThat(caller.send(new PKIBody(
                                PKIBody.TYPE_CERT_CONFIRM,
                                org.bouncycastle.asn1.cmp.CertConfirmContent.getInstance(new DERSequence(status))))
                        .getBody()
                        .getType())
                .isEqualTo(PKIBody.TYPE_CONFIRM);
    }
}
