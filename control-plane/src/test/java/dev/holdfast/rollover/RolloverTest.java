package dev.holdfast.rollover;

import static dev.holdfast.rollover.EnrolledFleet.PER_HOUR;
import static dev.holdfast.rollover.EnrolledFleet.done;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.OwnRoot;
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
import dev.holdfast.testkit.RealClient;
import java.nio.file.Files;
import java.nio.file.Path;
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
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.cert.X509v3CertificateBuilder;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Issuers and roots replaced under a small fleet: who has moved, who is missing, what can't go yet, and what a
/// thief of an issuer's key gets.
class RolloverTest {
    private static final SecureRandom RANDOM = new SecureRandom();

    private TestServer server;
    private EnrolledFleet fleet;

    @TempDir
    private Path folder;

    @BeforeEach
    void start() {
        server = TestServer.start();
        fleet = new EnrolledFleet(server);
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private Rollovers rollovers() {
        return fleet.rollovers();
    }

    @Test
    void anIssuerIsReplacedStepByStepAndDoesNotRetireWhileADeviceDependsOnIt() {
        X509Certificate one = fleet.enrolAndConnect("one");
        X509Certificate two = fleet.enrolAndConnect("two");

        Rollover ready =
                done(rollovers().startIssuer(TestServer.ENVIRONMENT, PER_HOUR, "five years", TestServer.TESTER));
        assertThat(ready.phase()).isEqualTo(Rollover.Phase.READY);
        Authority next =
                server.server().ca().authorities().find(ready.newAuthority()).orElseThrow();
        assertThat(server.server().ca().authorities().published()).contains(next.certificate());
        assertThat(rollovers().startIssuer(TestServer.ENVIRONMENT, PER_HOUR, "again", TestServer.TESTER))
                .isInstanceOf(Step.NotReplaceable.class);
        X509Certificate three = fleet.enrolAndConnect("three");
        assertThat(fleet.issuer(three)).isEqualTo(ready.oldAuthority()); // ready is not issuing

        Rollover moving = done(rollovers().move(ready.id(), false, "now", TestServer.TESTER));
        assertThat(fleet.issuer(fleet.renewAndConnect("one", one))).isEqualTo(ready.newAuthority());
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

        fleet.renewAndConnect("two", two);
        fleet.renewAndConnect("three", three);
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
        X509Certificate one = fleet.enrolAndConnect("one");
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
        assertThat(server.connectsTrusting(newRoot)).isFalse();

        fleet.says("one", root);
        TestServer.await(
                "the report is heard", () -> rollovers().progress(ready).trusting() == 1);
        done(rollovers().move(ready.id(), false, "all trust it", TestServer.TESTER));
        TestServer.await("the listeners have changed", () -> server.connectsTrusting(newRoot));
        assertThat(server.connectsTrusting(oldRoot)).isTrue(); // by NewWithOld

        assertThat(rollovers().finish(ready.id(), "too early", TestServer.TESTER))
                .isInstanceOf(Step.DevicesDepend.class);
        assertThat(fleet.issuer(fleet.renewAndConnect("one", one))).isNotEqualTo(fleet.issuer(one));
        done(rollovers().finish(ready.id(), "all have moved", TestServer.TESTER));
        assertThat(server.server().ca().authorities().root().certificate()).isEqualTo(root);
        assertThat(server.server().ca().authorities().published())
                .doesNotContainAnyElementsOf(Certificates.parsePem(Files.readString(oldRoot)));
        assertThat(server.connectsTrusting(newRoot)).isTrue();
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

    @Test
    void afterATheftOldCertificatesRenewAndNothingElseAndAForgedOneDoesNotEvenThat() throws Exception {
        X509Certificate one = fleet.enrolAndConnect("one");
        X509Certificate two = fleet.enrolAndConnect("two");
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
        assertThat(fleet.issuer(fleet.renewAndConnect("one", one))).isEqualTo(emergency.newAuthority());

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
                                Files.readString(server.folder().resolve("data/ca/" + fleet.issuer(model) + ".key")))
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
        X509Certificate one = fleet.enrolAndConnect("one");
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
    private String installed(OperatorRoot root) throws Exception {
        OwnRoot ownRoot = server.server().ca().ownRoot();
        OwnRoot.Request request = ownRoot.requestDevices(TestServer.ENVIRONMENT, TestServer.TESTER);
        assertThat(ownRoot.install(request.id(), root.certify(request), TestServer.TESTER))
                .isEqualTo(OwnRoot.Installed.INSTALLED);
        return request.id();
    }

    @Test
    void underAnOperatorsRootAnEmergencyTakesTheInstalledIssuerAndNamesWhatTheRootMustTakeBack() throws Exception {
        server.close();
        server = TestServer.start(Map.of("HOLDFAST_PUBLIC_HOST_NAME", "localhost"));
        fleet = new EnrolledFleet(server);
        OperatorRoot root = OperatorRoot.of("CN=Our own root", 1);
        String first = installed(root);
        // The issuer that the installation began with is not trusted for new devices; it is out of the way.
        Rollover begun =
                done(rollovers().startIssuer(TestServer.ENVIRONMENT, PER_HOUR, "our own root", TestServer.TESTER));
        done(rollovers().finish(begun.id(), "nobody is there", TestServer.TESTER));
        X509Certificate one = fleet.enrolAndConnect("one");
        assertThat(fleet.issuer(one)).isEqualTo(first);
        assertThat(rollovers()
                        .startEmergency(
                                TestServer.ENVIRONMENT,
                                true,
                                Duration.ofDays(1),
                                PER_HOUR,
                                "stolen",
                                TestServer.TESTER))
                .isEqualTo(new Step.NeedsCeremony(first));

        String second = installed(root);
        Rollover emergency = done(rollovers()
                .startEmergency(
                        TestServer.ENVIRONMENT, true, Duration.ofDays(1), PER_HOUR, "stolen", TestServer.TESTER));
        assertThat(emergency.oldAuthority()).isEqualTo(first);
        assertThat(emergency.newAuthority()).isEqualTo(second);
        assertThat(rollovers().toTakeBack(emergency)).as("not yet").isEmpty();
        assertThat(fleet.issuer(fleet.renewAndConnect("one", one))).isEqualTo(second);
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
        assertThat(fleet.issuer(fleet.enrolAndConnect("one"))).isEqualTo(ready.oldAuthority());
        assertThat(rollovers().move(ready.id(), false, "no", TestServer.TESTER)).isInstanceOf(Step.NotNow.class);
        assertThat(rollovers().move("nothing", false, "no", TestServer.TESTER)).isInstanceOf(Step.Unknown.class);
    }
}
