package dev.holdfast.sight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.Authority;
import dev.holdfast.ca.Intended;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.detection.Detection;
import dev.holdfast.detection.Finding;
import dev.holdfast.est.EstCaller;
import dev.holdfast.identity.Admission;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.response.Incident;
import dev.holdfast.response.Response;
import dev.holdfast.telemetry.Provenance;
import java.io.IOException;
import java.math.BigInteger;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/// What is not as it should be becomes a finding, and nobody innocent is isolated for it; over the real door.
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class SightTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static DeviceRef enrolled(String id, KeyPair key) throws Exception {
        DeviceRef device = server.register(id);
        X509Certificate leaf = EstCaller.certificate(
                EstCaller.enrol(server, CertificationRequest.create(id, key), server.credential(device)));
        visit(leaf, key);
        TestServer.await(
                id + " is active",
                () -> server.server().inventory().find(device).orElseThrow().state() == Lifecycle.ACTIVE);
        return device;
    }

    /// Comes to the door with this certificate, whatever becomes of it.
    private static void visit(X509Certificate leaf, KeyPair key) throws Exception {
        try (HttpClient client =
                EstCaller.client(server, Optional.of(new EstCaller.Caller(key.getPrivate(), List.of(leaf))))) {
            client.send(
                    HttpRequest.newBuilder(URI.create("https://localhost:"
                                    + server.server().devicePort() + "/DEFAULT/controller/v1/nobody"))
                            .build(),
                    HttpResponse.BodyHandlers.discarding());
        } catch (IOException refused) {
            assertThat(refused).hasMessageNotContaining("refused to connect");
        }
    }

    /// Signed by the server's own issuing key, behind the back of its records: what whoever stole the key would
    /// do.
    private static X509Certificate rogue(String name, KeyPair key) {
        return rogue(name, key, new BigInteger(120, RANDOM).setBit(100));
    }

    private static X509Certificate rogue(String name, KeyPair key, BigInteger serial) {
        Authority authority = server.server()
                .ca()
                .authorities()
                .devices(TestServer.ENVIRONMENT)
                .orElseThrow();
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        return server.server()
                .ca()
                .issuance()
                .sign(new Intended(
                        Serial.of(serial),
                        authority.id(),
                        "device",
                        Set.of(CertificateProfile.Usage.TLS_CLIENT),
                        TestServer.ENVIRONMENT,
                        Optional.of(TestServer.device(name)),
                        name,
                        List.of("URI:urn:holdfast:device:development:" + name),
                        SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()),
                        now.minusSeconds(60),
                        now.plus(Duration.ofDays(90)),
                        now.plus(Duration.ofDays(60)),
                        "rogue",
                        1));
    }

    private static Optional<Incident> ofAuthority(String cause) {
        return server
                .server()
                .response()
                .incidents(TestServer.ENVIRONMENT, false, Optional.empty(), Long.MAX_VALUE, 100)
                .stream()
                .map(Response.Case::incident)
                .filter(i -> i.subject() instanceof Incident.Subject.OfAuthority
                        && i.causes().contains(cause))
                .findFirst();
    }

    private static List<Finding> findings(DeviceRef device, Finding.Cause cause) {
        return server.server().detection().findings(device, Long.MAX_VALUE, 100).stream()
                .map(Detection.Stored::finding)
                .filter(f -> f.cause() == cause)
                .toList();
    }

    @Test
    @Order(1)
    void aCertificateThatOurKeySignedAndNobodyIssuedIsTheAuthoritysIncidentAndNotTheDevices() throws Exception {
        DeviceRef innocent = enrolled("innocent-1", Crypto.generateP256(RANDOM));
        KeyPair thief = Crypto.generateP256(RANDOM);
        X509Certificate forged = rogue("innocent-1", thief);

        for (int i = 0; i < 5; i++) {
            visit(forged, thief);
        }

        TestServer.await(
                "people are told", () -> ofAuthority("ROGUE_CERTIFICATE").isPresent());
        Incident incident = ofAuthority("ROGUE_CERTIFICATE").orElseThrow();
        assertThat(incident.severity()).isEqualTo(Finding.Severity.CRITICAL);
        assertThat(incident.provenance()).isEqualTo(Provenance.PROVEN);
        assertThat(incident.summary()).contains(forged.getSerialNumber().toString(16), "CN=innocent-1");
        assertThat(incident.findings()).as("five visits are one finding").isEqualTo(1);
        assertThat(server.server().sight().rogues(TestServer.ENVIRONMENT, 10))
                .singleElement()
                .satisfies(r -> assertThat(r.subject()).isEqualTo("CN=innocent-1"));
        assertThat(server.server().inventory().find(innocent).orElseThrow().state())
                .as("the device that it names has done nothing")
                .isEqualTo(Lifecycle.ACTIVE);
    }

    @Test
    @Order(2)
    void oneUnderASerialThatWasIssuedIsNoBetter() throws Exception {
        KeyPair own = Crypto.generateP256(RANDOM);
        DeviceRef innocent = enrolled("innocent-2", own);
        Serial serial =
                server.server().identity().certificates(innocent).getFirst().serial();
        KeyPair thief = Crypto.generateP256(RANDOM);
        X509Certificate forged = rogue("innocent-2", thief, serial.number());

        assertThat(server.server().identity().admit(forged, Instant.now()))
                .isInstanceOf(Admission.Refused.class)
                .extracting(a -> ((Admission.Refused) a).reason())
                .isEqualTo(Admission.Refusal.CERTIFICATE_UNKNOWN);
        HttpResponse<String> renewal = EstCaller.renew(
                server,
                CertificationRequest.create("innocent-2", thief),
                new EstCaller.Caller(thief.getPrivate(), List.of(forged)));
        assertThat(renewal.statusCode()).as(renewal.body()).isEqualTo(403);
        TestServer.await(
                "it is seen as a rogue",
                () -> server.server().sight().rogues(TestServer.ENVIRONMENT, 10).stream()
                        .anyMatch(r -> r.serial().equals(serial)));
        assertThat(server.server().inventory().find(innocent).orElseThrow().state())
                .isEqualTo(Lifecycle.ACTIVE);
    }

    @Test
    @Order(2)
    void aForgeryThatOnlyNamesUsIsClaimedAndLow() throws Exception {
        Authority authority = server.server()
                .ca()
                .authorities()
                .devices(TestServer.ENVIRONMENT)
                .orElseThrow();
        EstCaller.Maker impostor = EstCaller.Maker.named(X500Name.getInstance(
                        authority.certificate().getSubjectX500Principal().getEncoded())
                .toString());
        KeyPair key = Crypto.generateP256(RANDOM);
        for (int i = 0; i < 5; i++) {
            visit(impostor.device("CN=innocent-1", key), key);
        }
        TestServer.await("it is told", () -> ofAuthority("CERTIFICATE_FORGED").isPresent());
        Incident incident = ofAuthority("CERTIFICATE_FORGED").orElseThrow();
        assertThat(incident.evidence().getLast().provenance()).isEqualTo(Provenance.CLAIMED);
        assertThat(incident.evidence().getLast().severity()).isEqualTo(Finding.Severity.LOW);
    }

    @Test
    @Order(3)
    void aKeyThatASecondDeviceAsksForIsAFindingOnBothAndIsolatesNeither() throws Exception {
        KeyPair copied = Crypto.generateP256(RANDOM);
        DeviceRef owner = enrolled("twin-1", copied);
        DeviceRef asker = server.register("twin-2");

        HttpResponse<String> answer =
                EstCaller.enrol(server, CertificationRequest.create("twin-2", copied), server.credential(asker));

        assertThat(answer.statusCode()).isEqualTo(403);
        TestServer.await(
                "both have the finding",
                () -> !findings(owner, Finding.Cause.KEY_SHARED).isEmpty()
                        && !findings(asker, Finding.Cause.KEY_SHARED).isEmpty());
        assertThat(findings(owner, Finding.Cause.KEY_SHARED).getFirst().seen())
                .isEqualTo("twin-2 asked for a certificate for the key of twin-1");
        TestServer.await(
                "an incident is open",
                () -> server
                        .server()
                        .response()
                        .incidents(TestServer.ENVIRONMENT, true, Optional.of(owner), Long.MAX_VALUE, 10)
                        .stream()
                        .anyMatch(c -> c.incident().family() == Incident.Family.CREDENTIAL));
        assertThat(server.server().inventory().find(owner).orElseThrow().state())
                .isEqualTo(Lifecycle.ACTIVE);
        assertThat(server.server().sight().keys(TestServer.ENVIRONMENT).shared())
                .extracting(KeyCensus.Shared::device)
                .contains("twin-1", "twin-2");
    }

    @Test
    @Order(4)
    void aKeyThatItsProfileWouldNotTakeTodayIsFoundOnceAndCounted() throws Exception {
        DeviceRef device = enrolled("old-key-1", Crypto.generateP256(RANDOM));
        CertificateProfile now = server.server()
                .ca()
                .profiles()
                .find(TestServer.ENVIRONMENT, "device")
                .orElseThrow();
        server.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        new CertificateProfile(
                                now.name(),
                                now.usages(),
                                new CertificateProfile.Keys(EnumSet.of(KeyKind.EC_P384), false),
                                now.validity(),
                                now.rotation(),
                                now.admittance()),
                        "P-384 from now on",
                        TestServer.TESTER);
        server.server().sight().look();
        server.server().sight().look();
        TestServer.await(
                "it is found", () -> !findings(device, Finding.Cause.KEY_WEAK).isEmpty());
        assertThat(findings(device, Finding.Cause.KEY_WEAK)).hasSize(1);
        KeyCensus census = server.server().sight().keys(TestServer.ENVIRONMENT);
        assertThat(census.weak()).isEqualTo(census.certificates()).isGreaterThanOrEqualTo(2);
        assertThat(census.groups()).extracting(KeyCensus.Group::kind).containsExactly(KeyKind.EC_P256);
        server.server().ca().profiles().put(TestServer.ENVIRONMENT, now, "back", TestServer.TESTER);
    }

    @Test
    @Order(5)
    void aCertificateThatEndsSoonWithoutASuccessorIsFoundAndStandsInTheForecast() throws Exception {
        DeviceRef device = enrolled("ending-1", Crypto.generateP256(RANDOM));
        try (Connection sql = DriverManager.getConnection(
                        server.database().url(),
                        server.database().user(),
                        server.database().password());
                PreparedStatement age =
                        sql.prepareStatement("update certificate set not_after = now() + interval '3 days',"
                                + " not_before = now() - interval '80 days' where device = 'ending-1'")) {
            assertThat(age.executeUpdate()).isEqualTo(1);
        }

        server.server().sight().look();
        server.server().sight().look();

        TestServer.await(
                "it is found",
                () -> !findings(device, Finding.Cause.CERTIFICATE_ENDING).isEmpty());
        assertThat(findings(device, Finding.Cause.CERTIFICATE_ENDING)).hasSize(1);
        TestServer.await("every device is counted", () -> forecast().devices() >= 3);
        assertThat(forecast().cliff()).isEmpty();
    }

    private static Forecast forecast() {
        return server.server().sight().forecast(TestServer.ENVIRONMENT, Duration.ofDays(400), Duration.ofDays(1));
    }
}
