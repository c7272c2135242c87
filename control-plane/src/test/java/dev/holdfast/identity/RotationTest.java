package dev.holdfast.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateLifecycle;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.Profiles;
import dev.holdfast.protocol.ocsp.OcspResponse;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.sessions.CutReason;
import java.nio.file.Files;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Make before break: a new certificate counts beside the old one until it is used; overlap, going back, and
/// coming late.
class RotationTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Duration LIFETIME = Duration.ofDays(30);
    private static final AtomicReference<Duration> AHEAD = new AtomicReference<>(Duration.ZERO);
    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        InstantSource clock = () -> Instant.now().plus(AHEAD.get());
        server = TestServer.start(
                Files.createTempDirectory("holdfast-rotation"), TestDatabase.freshAddress(), Map.of(), clock);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Identity identity() {
        return server.server().identity();
    }

    private static void profile(String name, Duration overlap, Duration afterExpiry, Duration late, boolean approval) {
        server.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        new CertificateProfile(
                                name,
                                Set.of(CertificateProfile.Usage.TLS_CLIENT),
                                new CertificateProfile.Keys(Set.of(KeyKind.EC_P256), false),
                                new CertificateProfile.Validity(LIFETIME, 0, Duration.ofMinutes(5)),
                                new CertificateProfile.Rotation(overlap, afterExpiry, late),
                                new CertificateProfile.Admittance(
                                        Set.of(CertificateProfile.CredentialKind.TOKEN),
                                        approval,
                                        false,
                                        CertificateProfile.Attestation.NONE,
                                        List.of())),
                        "test",
                        TestServer.TESTER);
    }

    private static byte[] request(DeviceRef device, KeyPair key) {
        return CertificationRequest.create(device.id().value(), key);
    }

    private static EnrolmentOutcome byToken(DeviceRef device, KeyPair key, String profile) {
        String credential = server.credential(device);
        return identity()
                .enrolment()
                .enrol(
                        request(device, key),
                        Applicant.of(
                                        "test",
                                        new Credential.Token(
                                                device.id(), credential.substring(credential.indexOf(':') + 1)),
                                        "192.0.2.1:1")
                                .by(profile));
    }

    private static EnrolmentOutcome renew(DeviceRef device, X509Certificate certificate, KeyPair key) {
        return identity()
                .enrolment()
                .enrol(
                        request(device, key),
                        Applicant.of("test", new Credential.Operational(certificate), "192.0.2.1:1"));
    }

    private static KeyPair key() {
        return Crypto.generateP256(RANDOM);
    }

    private static X509Certificate issued(EnrolmentOutcome outcome) {
        assertThat(outcome).isInstanceOf(EnrolmentOutcome.Issued.class);
        return ((EnrolmentOutcome.Issued) outcome).certificate();
    }

    private static Serial serial(X509Certificate certificate) {
        return Serial.of(certificate.getSerialNumber());
    }

    private static Instant now() {
        return Instant.now().plus(AHEAD.get());
    }

    /// First use, and waits until it is recorded.
    private static void use(X509Certificate certificate) {
        assertThat(identity().admit(certificate, now())).isInstanceOf(Admission.Admitted.class);
        TestServer.await(
                "it is the current one",
                () -> server.server()
                        .ca()
                        .standings()
                        .find(serial(certificate))
                        .filter(s -> s.state() == CertificateState.CURRENT)
                        .isPresent());
    }

    private static void assertRefused(X509Certificate certificate, Admission.Refusal reason) {
        assertThat(identity().admit(certificate, now()))
                .isInstanceOfSatisfying(
                        Admission.Refused.class, r -> assertThat(r.reason()).isEqualTo(reason));
    }

    @Test
    void aNewCertificateIsPendingUntilItsFirstUseAndThenTheOldOneEnds() {
        DeviceRef device = server.register("rot-plain");
        X509Certificate first = issued(byToken(device, key(), Profiles.DEVICE));
        use(first);
        X509Certificate second = issued(renew(device, first, key()));
        assertThat(identity().admit(first, now())).isInstanceOf(Admission.Admitted.class);
        assertThat(identity().certificate(serial(second)).orElseThrow().state()).isEqualTo(CertificateState.PENDING);
        use(second);
        assertRefused(first, Admission.Refusal.CERTIFICATE_SUPERSEDED);
    }

    @Test
    void aSessionDoesNotOutliveItsCertificate() {
        DeviceRef device = server.register("rot-session");
        X509Certificate certificate = issued(byToken(device, key(), Profiles.DEVICE));
        use(certificate);
        List<CutReason> cuts = new CopyOnWriteArrayList<>();
        Instant until = certificate.getNotAfter().toInstant();
        server.server()
                .sessions()
                .register(device, serial(certificate), until, "mqtt", "192.0.2.1:1", now(), cuts::add);
        Duration before = AHEAD.get();
        try {
            AHEAD.set(Duration.between(Instant.now(), until).minusMinutes(1));
            identity().cutEnded();
            assertThat(cuts).isEmpty();
            AHEAD.set(Duration.between(Instant.now(), until).plusSeconds(2));
            identity().cutEnded();
            assertThat(cuts).containsExactly(CutReason.CERTIFICATE_EXPIRED);
            assertThat(server.server().sessions().of(device)).isEmpty();
        } finally {
            AHEAD.set(before);
        }
    }

    @Test
    void withAnOverlapTheOldOneCountsUntilThatEndsAndItsSessionsAreCutThen() {
        profile("overlapping", Duration.ofHours(1), Duration.ZERO, Duration.ZERO, false);
        DeviceRef device = server.register("rot-overlap");
        X509Certificate first = issued(byToken(device, key(), "overlapping"));
        use(first);
        X509Certificate second = issued(renew(device, first, key()));
        use(second);
        List<CutReason> cuts = new CopyOnWriteArrayList<>();
        server.server()
                .sessions()
                .register(device, serial(first), Instant.MAX, "mqtt", "192.0.2.1:1", now(), cuts::add);

        assertThat(identity().admit(first, now())).isInstanceOf(Admission.Admitted.class);
        assertThat(status(first)).isInstanceOf(OcspResponse.Status.Good.class);
        identity().cutEnded();
        assertThat(cuts).isEmpty();

        AHEAD.updateAndGet(d -> d.plus(Duration.ofMinutes(61)));
        assertRefused(first, Admission.Refusal.CERTIFICATE_SUPERSEDED);
        identity().cutEnded();
        assertThat(cuts).containsExactly(CutReason.CERTIFICATE_SUPERSEDED);
        assertThat(renew(device, first, key()))
                .isInstanceOfSatisfying(
                        EnrolmentOutcome.Refused.class,
                        r -> assertThat(r.reason()).isEqualTo(EnrolmentRefusal.CERTIFICATE_SUPERSEDED));
    }

    private static OcspResponse.Status status(X509Certificate certificate) {
        return server.server()
                        .ca()
                        .standings()
                        .find(serial(certificate))
                        .orElseThrow()
                        .counts(now())
                ? new OcspResponse.Status.Good()
                : new OcspResponse.Status.Unknown();
    }

    @Test
    void whileTheOverlapLastsOneCanGoBackToTheOldOne() {
        profile("overlapping", Duration.ofHours(1), Duration.ZERO, Duration.ZERO, false);
        DeviceRef device = server.register("rot-back");
        X509Certificate first = issued(byToken(device, key(), "overlapping"));
        use(first);
        assertThat(identity().rollBack(device, "nothing before it", TestServer.TESTER))
                .isInstanceOf(CertificateLifecycle.RolledBack.NothingToGoBackTo.class);
        X509Certificate second = issued(renew(device, first, key()));
        use(second);

        assertThat(identity().rollBack(device, "the new key does not work with the modem", TestServer.TESTER))
                .isEqualTo(new CertificateLifecycle.RolledBack.Done(serial(second), serial(first)));
        TestServer.await("known", () -> !(identity().admit(second, now()) instanceof Admission.Admitted));
        assertRefused(second, Admission.Refusal.CERTIFICATE_REVOKED);
        AHEAD.updateAndGet(d -> d.plus(Duration.ofMinutes(61)));
        assertThat(identity().admit(first, now())).isInstanceOf(Admission.Admitted.class);
        assertThat(identity().certificate(serial(first)).orElseThrow().state()).isEqualTo(CertificateState.CURRENT);
    }

    @Test
    void aSuspensionEndsTheOverlap() {
        profile("overlapping", Duration.ofHours(1), Duration.ZERO, Duration.ZERO, false);
        DeviceRef device = server.register("rot-suspend");
        X509Certificate first = issued(byToken(device, key(), "overlapping"));
        use(first);
        X509Certificate second = issued(renew(device, first, key()));
        use(second);
        identity().suspend(device, "doubt", Optional.empty(), TestServer.TESTER);
        identity().reinstate(device, "no doubt", TestServer.TESTER);
        TestServer.await("back", () -> identity().admit(second, now()) instanceof Admission.Admitted);
        assertRefused(first, Admission.Refusal.CERTIFICATE_SUPERSEDED);
    }

    @Test
    void anExpiredDeviceRenewsByItselfThenByAPersonsApprovalThenNotAtAll() {
        profile("late", Duration.ZERO, Duration.ofDays(10), Duration.ofDays(20), false);
        DeviceRef device = server.register("rot-late");
        X509Certificate first = issued(byToken(device, key(), "late"));
        use(first);
        Duration before = AHEAD.get();

        AHEAD.updateAndGet(d -> d.plus(LIFETIME).plus(Duration.ofDays(1)));
        assertRefused(first, Admission.Refusal.CERTIFICATE_EXPIRED);
        assertThat(renew(device, first, key())).isInstanceOf(EnrolmentOutcome.Issued.class);

        AHEAD.updateAndGet(d -> d.plus(Duration.ofDays(10)));
        KeyPair key = key();
        assertThat(renew(device, first, key)).isInstanceOf(EnrolmentOutcome.Held.class);
        HeldRequests.Held held = waiting(device);
        assertThat(held.cause()).isEqualTo(HeldRequests.Cause.LATE_RENEWAL);
        assertThat(renew(device, first, key)).isInstanceOf(EnrolmentOutcome.Held.class);
        assertThat(waiting(device).timesAsked()).isEqualTo(2);
        identity().held().decide(TestServer.ENVIRONMENT, held.id(), true, "it was in the warehouse", TestServer.TESTER);
        assertThat(renew(device, first, key)).isInstanceOf(EnrolmentOutcome.Issued.class);
        assertThat(renew(device, first, key()))
                .as("the approval is for one key")
                .isInstanceOf(EnrolmentOutcome.Held.class);

        AHEAD.updateAndGet(d -> d.plus(Duration.ofDays(20)));
        assertThat(renew(device, first, key()))
                .isInstanceOfSatisfying(
                        EnrolmentOutcome.Refused.class,
                        r -> assertThat(r.reason()).isEqualTo(EnrolmentRefusal.CERTIFICATE_EXPIRED));
        AHEAD.set(before);
    }

    @Test
    void byTheProfileOfAFreshServerALateDeviceWaitsForAPersonAndAFleetDoesNotEndInOneHour() {
        DeviceRef device = server.register("rot-fresh");
        Set<Instant> ends = new HashSet<>();
        X509Certificate newest = issued(byToken(device, key(), Profiles.DEVICE));
        for (int i = 0; i < 20; i++) {
            ends.add(newest.getNotAfter().toInstant().truncatedTo(ChronoUnit.HOURS));
            use(newest);
            newest = issued(renew(device, newest, key()));
        }
        assertThat(ends.size()).as("enrolled together, ending apart").isGreaterThan(10);

        X509Certificate last = newest;
        use(last);
        Duration before = AHEAD.get();
        AHEAD.updateAndGet(d -> d.plus(Duration.ofDays(200)));
        KeyPair key = key();
        assertThat(renew(device, last, key)).isInstanceOf(EnrolmentOutcome.Held.class);
        identity()
                .held()
                .decide(TestServer.ENVIRONMENT, waiting(device).id(), true, "from the warehouse", TestServer.TESTER);
        assertThat(renew(device, last, key)).isInstanceOf(EnrolmentOutcome.Issued.class);
        AHEAD.set(before);
    }

    private static HeldRequests.Held waiting(DeviceRef device) {
        return identity().held().list(TestServer.ENVIRONMENT, Optional.of(HeldRequests.State.WAITING), 100).stream()
                .filter(h -> h.device().equals(device.id().value()))
                .findFirst()
                .orElseThrow();
    }

    @Test
    void aProfileMayAskAPersonAboutEachDeviceAndARefusalIsToldToIt() {
        profile("asked", Duration.ZERO, Duration.ZERO, Duration.ZERO, true);
        DeviceRef device = server.register("rot-asked");
        KeyPair key = key();
        assertThat(byToken(device, key, "asked")).isInstanceOf(EnrolmentOutcome.Held.class);
        identity().held().decide(TestServer.ENVIRONMENT, waiting(device).id(), false, "not ours", TestServer.TESTER);
        assertThat(byToken(device, key, "asked"))
                .isInstanceOfSatisfying(
                        EnrolmentOutcome.Refused.class,
                        r -> assertThat(r.reason()).isEqualTo(EnrolmentRefusal.REFUSED_BY_A_PERSON));
    }

    @Test
    void aRenewalGoesByTheProfileOfItsCertificate() {
        profile("kept", Duration.ZERO, Duration.ZERO, Duration.ZERO, false);
        DeviceRef device = server.register("rot-kept");
        X509Certificate first = issued(byToken(device, key(), "kept"));
        assertThat(identity()
                        .enrolment()
                        .enrol(
                                request(device, key()),
                                Applicant.of("test", new Credential.Operational(first), "192.0.2.1:1")
                                        .by(Profiles.DEVICE)))
                .isInstanceOfSatisfying(
                        EnrolmentOutcome.Refused.class,
                        r -> assertThat(r.reason()).isEqualTo(EnrolmentRefusal.PROFILE_IS_NOT_THE_CERTIFICATES));
        X509Certificate second = issued(renew(device, first, key()));
        assertThat(identity().certificate(serial(second)).orElseThrow().profile())
                .isEqualTo("kept");
    }
}
