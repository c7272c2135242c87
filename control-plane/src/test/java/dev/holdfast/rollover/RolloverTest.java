package dev.holdfast.rollover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.OwnRoot;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.testkit.RealClient;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Date;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Collectors;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequest;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Issuers and roots replaced under a small fleet: who has moved, who is missing, what can't go yet, and what a
/// thief of an issuer's key gets.
class RolloverTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int PER_HOUR = 3_600_000;

    private TestServer server;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        server = TestServer.start();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Rollovers rollovers() {
        return server.server().rollover().rollovers();
    }

    private static Rollover done(Step step) {
        assertThat(step).isInstanceOf(Step.Done.class);
        return ((Step.Done) step).rollover();
    }

    private X509Certificate enrol(DeviceRef device, Credential credential) {
        KeyPair key = Crypto.generateP256(RANDOM);
        EnrolmentOutcome outcome = server.server()
                .identity()
                .enrolment()
                .enrol(
                        CertificationRequest.create(device.id().value(), key),
                        Applicant.of("EST", credential, "127.0.0.1"));
        assertThat(outcome).isInstanceOf(EnrolmentOutcome.Issued.class);
        return ((EnrolmentOutcome.Issued) outcome).certificate();
    }

    /// Enrols a device and uses its certificate, as a first connection does.
    private X509Certificate enrolAndConnect(String id) {
        DeviceRef device = server.register(id);
        String credential = server.credential(device);
        X509Certificate certificate =
                enrol(device, new Credential.Token(device.id(), credential.substring(credential.indexOf(':') + 1)));
        connect(certificate);
        return certificate;
    }

    private void connect(X509Certificate certificate) {
        Serial serial = Serial.of(certificate.getSerialNumber());
        TestServer.await("first use of " + serial, () -> {
            server.server().identity().admit(certificate, Instant.now());
            return server.server()
                    .identity()
                    .certificate(serial)
                    .filter(c -> c.activatedAt().isPresent())
                    .isPresent();
        });
    }

    private X509Certificate renewAndConnect(String id, X509Certificate before) {
        X509Certificate renewed = enrol(TestServer.device(id), new Credential.Operational(before));
        connect(renewed);
        return renewed;
    }

    private String issuer(X509Certificate certificate) {
        return server.server()
                .identity()
                .certificate(Serial.of(certificate.getSerialNumber()))
                .orElseThrow()
                .authority();
    }

    @Test
    void anIssuerIsReplacedStepByStepAndDoesNotRetireWhileADeviceDependsOnIt() {
        X509Certificate one = enrolAndConnect("one");
        X509Certificate two = enrolAndConnect("two");

        Rollover ready =
                done(rollovers().startIssuer(TestServer.ENVIRONMENT, PER_HOUR, "five years", TestServer.TESTER));
        assertThat(ready.phase()).isEqualTo(Rollover.Phase.READY);
        Authority next =
                server.server().ca().authorities().find(ready.newAuthority()).orElseThrow();
        assertThat(server.server().ca().authorities().published()).contains(next.certificate());
        assertThat(rollovers().startIssuer(TestServer.ENVIRONMENT, PER_HOUR, "again", TestServer.TESTER))
                .isInstanceOf(Step.NotReplaceable.class);
        X509Certificate three = enrolAndConnect("three");
        assertThat(issuer(three)).isEqualTo(ready.oldAuthority()); // ready is not issuing

        Rollover moving = done(rollovers().move(ready.id(), false, "now", TestServer.TESTER));
        assertThat(issuer(renewAndConnect("one", one))).isEqualTo(ready.newAuthority());
        TestServer.await(
                "devices are told",
                () -> server.server()
                        .commands()
                        .desired(TestServer.device("two"))
                        .filter(d -> d.state().path("certificate").has("renewAfter"))
                        .isPresent());
        Progress progress = rollovers().progress(moving);
        assertThat(progress.devices()).isEqualTo(3);
        assertThat(progress.moved()).isEqualTo(1);
        assertThat(progress.depending()).isEqualTo(2);
        assertThat(progress.lastMinute()).isEqualTo(1);
        assertThat(progress.missing().stream().map(Object::toString)).containsExactly("three", "two");

        Step refused = rollovers().finishLeavingBehind(ready.id(), "operator:one", "too early", TestServer.TESTER);
        assertThat(refused).isInstanceOf(Step.DevicesDepend.class);
        assertThat(((Step.DevicesDepend) refused).count()).isEqualTo(2);

        renewAndConnect("two", two);
        renewAndConnect("three", three);
        assertThat(done(rollovers().finish(ready.id(), "all have moved", TestServer.TESTER))
                        .phase())
                .isEqualTo(Rollover.Phase.ENDED);
        assertThat(server.server().ca().authorities().published())
                .doesNotContain(server.server()
                        .ca()
                        .authorities()
                        .find(ready.oldAuthority())
                        .orElseThrow()
                        .certificate());
        assertThat(rollovers().finish(ready.id(), "again", TestServer.TESTER)).isInstanceOf(Step.NotNow.class);
    }

    @Test
    void aRootIsReplacedOnceTheDevicesSayThatTheyTrustItAndBothOldAndNewFindTheirWay() throws Exception {
        X509Certificate one = enrolAndConnect("one");
        Path oldRoot =
                pem("old.pem", List.of(server.server().ca().authorities().root().certificate()));

        Rollover ready = done(rollovers().startRoot(PER_HOUR, "twenty years", TestServer.TESTER));
        X509Certificate root = server.server()
                .ca()
                .authorities()
                .find(ready.newAuthority())
                .orElseThrow()
                .certificate();
        Path newRoot = pem("new.pem", List.of(root));
        // RFC 4210 section 4.4: NewWithOld and OldWithNew are published beside both roots.
        List<X509Certificate> crosses = server.server().ca().authorities().published().stream()
                .filter(c -> c.getSubjectX500Principal().equals(root.getSubjectX500Principal()))
                .toList();
        assertThat(crosses).hasSize(4);
        assertThat(verifies(oldRoot, crosses)).isEqualTo(2);
        assertThat(verifies(newRoot, crosses)).isEqualTo(2);

        Step refused = rollovers().move(ready.id(), false, "too early", TestServer.TESTER);
        assertThat(refused).isInstanceOf(Step.DevicesDepend.class);
        assertThat(((Step.DevicesDepend) refused).some().stream().map(Object::toString))
                .containsExactly("one");
        assertThat(connectsTrusting(newRoot)).isFalse();

        server.server()
                .telemetry()
                .accept(new Observation.ConfigurationReport(
                        TestServer.device("one"),
                        Instant.now(),
                        Map.of("trust.roots", "abc " + Certificates.fingerprint(root))));
        TestServer.await(
                "the report is heard", () -> rollovers().progress(ready).trusting() == 1);
        done(rollovers().move(ready.id(), false, "all trust it", TestServer.TESTER));
        TestServer.await("the listeners have changed", () -> connectsTrusting(newRoot));
        assertThat(connectsTrusting(oldRoot)).isTrue(); // by NewWithOld

        assertThat(rollovers().finish(ready.id(), "too early", TestServer.TESTER))
                .isInstanceOf(Step.DevicesDepend.class);
        assertThat(issuer(renewAndConnect("one", one))).isNotEqualTo(issuer(one));
        done(rollovers().finish(ready.id(), "all have moved", TestServer.TESTER));
        assertThat(server.server().ca().authorities().root().certificate()).isEqualTo(root);
        assertThat(server.server().ca().authorities().published())
                .doesNotContainAnyElementsOf(Certificates.parsePem(Files.readString(oldRoot)));
        assertThat(connectsTrusting(newRoot)).isTrue();
    }

    private Path pem(String name, List<X509Certificate> certificates) throws Exception {
        return Files.writeString(
                folder.resolve(name),
                certificates.stream().map(Certificates::pem).collect(Collectors.joining()));
    }

    /// How many of these `openssl verify` takes with this root alone.
    private long verifies(Path root, List<X509Certificate> certificates) throws Exception {
        long good = 0;
        for (X509Certificate one : certificates) {
            Path file = pem("one.pem", List.of(one));
            good += RealClient.of("openssl", "verify", "-CAfile", root.toString(), file.toString())
                                    .run()
                                    .exit()
                            == 0
                    ? 1
                    : 0;
        }
        return good;
    }

    private boolean connectsTrusting(Path root) {
        return RealClient.of(
                                "openssl",
                                "s_client",
                                "-connect",
                                "localhost:" + server.server().devicePort(),
                                "-CAfile",
                                root.toString(),
                                "-verify_return_error",
                                "-verify_hostname",
                                "localhost",
                                "-brief")
                        .input("")
                        .run()
                        .exit()
                == 0;
    }

    @Test
    void afterATheftOldCertificatesRenewAndNothingElseAndAForgedOneDoesNotEvenThat() throws Exception {
        X509Certificate one = enrolAndConnect("one");
        X509Certificate two = enrolAndConnect("two");
        X509Certificate forged = forge("two", two);

        Rollover emergency = done(rollovers()
                .startEmergency(
                        TestServer.ENVIRONMENT,
                        true,
                        Duration.ofDays(1),
                        PER_HOUR,
                        "the key was seen",
                        TestServer.TESTER));
        assertThat(emergency.phase()).isEqualTo(Rollover.Phase.MOVING);
        assertThat(server.server().identity().admit(one, Instant.now()))
                .isInstanceOfSatisfying(
                        Admission.Refused.class,
                        refused -> assertThat(refused.reason()).isEqualTo(Admission.Refusal.ISSUER_REPLACED));
        assertThat(issuer(renewAndConnect("one", one))).isEqualTo(emergency.newAuthority());

        EnrolmentOutcome outcome = server.server()
                .identity()
                .enrolment()
                .enrol(
                        CertificationRequest.create("two", Crypto.generateP256(RANDOM)),
                        Applicant.of("EST", new Credential.Operational(forged), "127.0.0.1"));
        assertThat(outcome)
                .isInstanceOfSatisfying(
                        EnrolmentOutcome.Refused.class,
                        refused -> assertThat(refused.reason()).isEqualTo(EnrolmentRefusal.CERTIFICATE_UNKNOWN));

        assertThat(rollovers().finish(emergency.id(), "too early", TestServer.TESTER))
                .isInstanceOf(Step.DevicesDepend.class);
        done(rollovers().finishLeavingBehind(emergency.id(), "operator:one", "no more waiting", TestServer.TESTER));
        assertThat(server.server()
                        .ca()
                        .authorities()
                        .find(emergency.oldAuthority())
                        .orElseThrow()
                        .standing())
                .isEqualTo(Authority.Standing.DISTRUSTED);
        assertThat(server.server().identity().admit(two, Instant.now())).isInstanceOf(Admission.Refused.class);
    }

    /// What a thief of the issuer's key can make: another key under a serial that is in use.
    private X509Certificate forge(String id, X509Certificate model) throws Exception {
        PrivateKey stolen = Crypto.privateKey(
                "EC",
                Pem.decode(
                                Pem.PRIVATE_KEY,
                                Files.readString(server.folder().resolve("data/ca/" + issuer(model) + ".key")))
                        .getFirst());
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                X500Name.getInstance(model.getIssuerX500Principal().getEncoded()),
                model.getSerialNumber(),
                Date.from(model.getNotBefore().toInstant()),
                Date.from(model.getNotAfter().toInstant()),
                new X500Name("CN=" + id),
                SubjectPublicKeyInfo.getInstance(
                        Crypto.generateP256(RANDOM).getPublic().getEncoded()));
        return Certificates.parse(builder.build(new JcaContentSignerBuilder("SHA256withECDSA")
                        .setProvider(Crypto.provider())
                        .build(stolen))
                .getEncoded());
    }

    @Test
    void anEmergencyEndsByItselfWhenItsGraceIsOverAlsoAfterARestart() {
        X509Certificate one = enrolAndConnect("one");
        Rollover emergency = done(rollovers()
                .startEmergency(
                        TestServer.ENVIRONMENT, false, Duration.ZERO, PER_HOUR, "the key was seen", TestServer.TESTER));
        TestServer.await(
                "the old issuer is distrusted",
                () -> rollovers()
                        .find(emergency.id())
                        .filter(r -> r.phase() == Rollover.Phase.ENDED)
                        .isPresent());
        TestServer.await(
                "its certificates are refused",
                () -> server.server().identity().admit(one, Instant.now()) instanceof Admission.Refused);
    }

    @Test
    void afterARestoreADistrustedIssuerIsDistrustedAgainOnce() {
        List<Recorded> seen = new CopyOnWriteArrayList<>();
        server.server().journal().subscribe(entry -> {
            if (entry.content().contains("\"kind\":\"authority.distrusted\"")) {
                seen.add(entry);
            }
        });
        Rollover emergency = done(rollovers()
                .startEmergency(
                        TestServer.ENVIRONMENT,
                        true,
                        Duration.ofDays(1),
                        PER_HOUR,
                        "the key was seen",
                        TestServer.TESTER));
        done(rollovers().finishLeavingBehind(emergency.id(), "operator:one", "now", TestServer.TESTER));
        TestServer.await("the entry", () -> !seen.isEmpty());
        try (Database restored = Database.open(server.database(), 2)) {
            restored.run(
                    sql -> sql.execute("update authority set state = 'active' where id = ?", emergency.oldAuthority()));
        }
        List<Boolean> changed = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            changed.add(server.server()
                    .journal()
                    .commit(tx -> server.server().ca().authorities().replay(tx, seen.getFirst())));
        }
        assertThat(changed).containsExactly(true, false);
        TestServer.await(
                "it is heard",
                () -> !server.server()
                        .ca()
                        .authorities()
                        .find(emergency.oldAuthority())
                        .orElseThrow()
                        .standing()
                        .isTrusted());
    }

    /// An issuer of devices under this root, as an operator has it certified.
    private String installed(KeyPair root, X509Certificate rootCertificate) throws Exception {
        OwnRoot ownRoot = server.server().ca().ownRoot();
        OwnRoot.Request request = ownRoot.requestDevices(TestServer.ENVIRONMENT, TestServer.TESTER);
        PKCS10CertificationRequest parsed = new PKCS10CertificationRequest(
                Pem.decode(Pem.CERTIFICATE_REQUEST, request.pem()).getFirst());
        X509Certificate issuer = authority(parsed.getSubject(), parsed.getSubjectPublicKeyInfo(), root, 0);
        assertThat(ownRoot.install(request.id(), List.of(issuer, rootCertificate), TestServer.TESTER))
                .isEqualTo(OwnRoot.Installed.INSTALLED);
        return request.id();
    }

    private static X509Certificate authority(X500Name subject, SubjectPublicKeyInfo key, KeyPair by, int below)
            throws Exception {
        X509v3CertificateBuilder builder = new X509v3CertificateBuilder(
                new X500Name("CN=Our own root"),
                BigInteger.valueOf(System.nanoTime()),
                Date.from(Instant.now().minusSeconds(3600)),
                Date.from(Instant.now().plus(Duration.ofDays(900))),
                subject,
                key);
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(below));
        builder.addExtension(Extension.keyUsage, true, new KeyUsage(KeyUsage.keyCertSign | KeyUsage.cRLSign));
        builder.addExtension(
                Extension.subjectKeyIdentifier, false, new JcaX509ExtensionUtils().createSubjectKeyIdentifier(key));
        return Certificates.parse(builder.build(new JcaContentSignerBuilder("SHA256withECDSA")
                        .setProvider(Crypto.provider())
                        .build(by.getPrivate()))
                .getEncoded());
    }

    @Test
    void underAnOperatorsRootAnEmergencyTakesTheInstalledIssuerAndNamesWhatTheRootMustTakeBack() throws Exception {
        server.close();
        server = TestServer.start(Map.of("HOLDFAST_PUBLIC_HOST_NAME", "localhost"));
        KeyPair root = Crypto.generateP256(RANDOM);
        X509Certificate rootCertificate = authority(
                new X500Name("CN=Our own root"),
                SubjectPublicKeyInfo.getInstance(root.getPublic().getEncoded()),
                root,
                1);
        String first = installed(root, rootCertificate);
        // The issuer that the installation began with is not trusted for new devices; it is out of the way.
        Rollover begun =
                done(rollovers().startIssuer(TestServer.ENVIRONMENT, PER_HOUR, "our own root", TestServer.TESTER));
        done(rollovers().finish(begun.id(), "nobody is there", TestServer.TESTER));
        X509Certificate one = enrolAndConnect("one");
        assertThat(issuer(one)).isEqualTo(first);
        assertThat(rollovers()
                        .startEmergency(
                                TestServer.ENVIRONMENT,
                                true,
                                Duration.ofDays(1),
                                PER_HOUR,
                                "stolen",
                                TestServer.TESTER))
                .isEqualTo(new Step.NeedsCeremony(first));

        String second = installed(root, rootCertificate);
        Rollover emergency = done(rollovers()
                .startEmergency(
                        TestServer.ENVIRONMENT, true, Duration.ofDays(1), PER_HOUR, "stolen", TestServer.TESTER));
        assertThat(emergency.oldAuthority()).isEqualTo(first);
        assertThat(emergency.newAuthority()).isEqualTo(second);
        assertThat(rollovers().toTakeBack(emergency)).as("not yet").isEmpty();
        assertThat(issuer(renewAndConnect("one", one))).isEqualTo(second);
        done(rollovers().finish(emergency.id(), "all have moved", TestServer.TESTER));
        assertThat(rollovers().toTakeBack(emergency))
                .contains(server.server()
                        .ca()
                        .authorities()
                        .find(first)
                        .orElseThrow()
                        .certificate());
    }

    @Test
    void whatIsReadyCanBeAbandonedAndNothingHasHappened() {
        Rollover ready =
                done(rollovers().startIssuer(TestServer.ENVIRONMENT, PER_HOUR, "by mistake", TestServer.TESTER));
        done(rollovers().abandon(ready.id(), "a mistake", TestServer.TESTER));
        assertThat(issuer(enrolAndConnect("one"))).isEqualTo(ready.oldAuthority());
        assertThat(rollovers().move(ready.id(), false, "no", TestServer.TESTER)).isInstanceOf(Step.NotNow.class);
        assertThat(rollovers().move("nothing", false, "no", TestServer.TESTER)).isInstanceOf(Step.Unknown.class);
    }
}
