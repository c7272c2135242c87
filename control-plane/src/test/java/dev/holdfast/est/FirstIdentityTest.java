package dev.holdfast.est;

import static dev.holdfast.est.EstRequests.assertRefused;
import static dev.holdfast.est.EstRequests.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.est.EstCaller.Caller;
import dev.holdfast.est.EstCaller.Maker;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.Claims;
import dev.holdfast.identity.HeldRequests;
import dev.holdfast.identity.Manufacturers;
import dev.holdfast.identity.ProductApprovals;
import dev.holdfast.inventory.Device;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.net.URI;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Devices that nobody gave a token to: a manufacturer's, just in time, and those of a batch with a claim
/// certificate; over real TLS, by EST.
class FirstIdentityTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
        server.register("someone");
        EstRequests.profile(server, "meter", "{}");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<String> enrol(Caller caller, String name, KeyPair key) throws Exception {
        return enrol(caller, "simpleenroll", name, key);
    }

    private static HttpResponse<String> enrol(Caller caller, String operation, String name, KeyPair key)
            throws Exception {
        return EstCaller.post(
                server,
                operation,
                Base64.getEncoder().encode(CertificationRequest.create(name, key)),
                "",
                Optional.of(caller));
    }

    // ------------------------------------------------------------------ manufacturers, just in time

    private static Manufacturers.Anchor anchor(Maker maker, Manufacturers.Unregistered unregistered) {
        return ((Manufacturers.AnchorRegistered.Registered) server.server()
                        .identity()
                        .manufacturers()
                        .registerAnchor(
                                TestServer.ENVIRONMENT, "Works", maker.certificate(), unregistered, TestServer.TESTER))
                .anchor();
    }

    private static Caller product(Maker maker, String serial) {
        KeyPair key = key();
        return new Caller(key.getPrivate(), List.of(maker.device("CN=M7,SERIALNUMBER=" + serial, key)));
    }

    private static HeldRequests.Held held(String serial) {
        return server
                .server()
                .identity()
                .held()
                .list(TestServer.ENVIRONMENT, Optional.of(HeldRequests.State.WAITING), 100)
                .stream()
                .filter(h -> h.product().filter(p -> p.serial().equals(serial)).isPresent())
                .findFirst()
                .orElseThrow();
    }

    private static ProductApprovals.Approved approve(String request, @Nullable String device, @Nullable String model) {
        return server.server()
                .identity()
                .products()
                .approve(
                        TestServer.ENVIRONMENT,
                        request,
                        new ProductApprovals.Naming(
                                Optional.ofNullable(device).map(DeviceId::new),
                                Optional.ofNullable(model).map(ModelId::new),
                                new Labels(Map.of("site", "north"))),
                        "seen at the site",
                        TestServer.TESTER);
    }

    @Test
    void aProductThatNobodyRegisteredWaitsAndIsWhatThePersonSaysItIs() throws Exception {
        Maker maker = Maker.named("CN=Just in time works");
        Manufacturers.Anchor anchor = anchor(maker, Manufacturers.Unregistered.HELD);
        Caller product = product(maker, "JIT-0001");
        HttpResponse<String> first = enrol(product, "M7", key());
        assertThat(first.statusCode()).as(first.body()).isEqualTo(202);
        assertThat(first.headers().firstValue("retry-after")).isPresent();
        assertThat(enrol(product, "M7", key()).statusCode())
                .as("with another key")
                .isEqualTo(202);
        HeldRequests.Held held = held("JIT-0001");
        assertThat(held.timesAsked()).isEqualTo(2);
        assertThat(held.cause()).isEqualTo(HeldRequests.Cause.UNREGISTERED_SERIAL);
        assertThat(held.device()).isEmpty();
        assertThat(held.product()).contains(new HeldRequests.Product(anchor.id(), "JIT-0001"));

        assertThat(approve(held.id(), "jit-1", null))
                .isInstanceOfSatisfying(
                        ProductApprovals.Approved.NotPossible.class,
                        no -> assertThat(no.why()).contains("name its model"));
        assertThat(approve(held.id(), "jit-1", "no-such")).isInstanceOf(ProductApprovals.Approved.NotPossible.class);
        assertThat(server.server().inventory().find(TestServer.device("jit-1")))
                .as("nothing was written")
                .isEmpty();
        assertThat(enrol(product, "M7", key()).statusCode()).isEqualTo(202);

        assertThat(approve(held.id(), "jit-1", TestServer.MODEL.value()))
                .isInstanceOf(ProductApprovals.Approved.Done.class);
        Device device =
                server.server().inventory().find(TestServer.device("jit-1")).orElseThrow();
        assertThat(device.model()).isEqualTo(TestServer.MODEL);
        assertThat(device.labels().get("site")).contains("north");
        X509Certificate certificate = EstCaller.certificate(enrol(product, "M7", key()));
        assertThat(Certificates.commonName(certificate)).contains("jit-1");
        assertThat(approve(held.id(), "jit-2", TestServer.MODEL.value()))
                .isInstanceOf(ProductApprovals.Approved.AlreadyDecided.class);
    }

    @Test
    void aProductMayBeNamedByItsSerialOrBeADeviceThatIsRegisteredAlready() throws Exception {
        Maker maker = Maker.named("CN=Serial works");
        anchor(maker, Manufacturers.Unregistered.HELD);
        Caller bySerial = product(maker, "SN-77");
        Caller known = product(maker, "SN-78");
        assertThat(enrol(bySerial, "M7", key()).statusCode()).isEqualTo(202);
        assertThat(enrol(known, "M7", key()).statusCode()).isEqualTo(202);
        server.register("known-78");
        approve(held("SN-77").id(), null, TestServer.MODEL.value());
        approve(held("SN-78").id(), "known-78", null);
        assertThat(Certificates.commonName(EstCaller.certificate(enrol(bySerial, "M7", key()))))
                .contains("SN-77");
        assertThat(Certificates.commonName(EstCaller.certificate(enrol(known, "known-78", key()))))
                .contains("known-78");
    }

    @Test
    void aProductWhoseManufacturerIsTrustedNoMoreIsNotApprovedAndNothingIsWritten() throws Exception {
        Maker maker = Maker.named("CN=Withdrawn works");
        Manufacturers.Anchor anchor = anchor(maker, Manufacturers.Unregistered.HELD);
        assertThat(enrol(product(maker, "W-1"), "M7", key()).statusCode()).isEqualTo(202);
        server.server().identity().manufacturers().withdrawAnchor(anchor.id(), "sold", TestServer.TESTER);
        assertThat(approve(held("W-1").id(), "withdrawn-1", TestServer.MODEL.value()))
                .isInstanceOf(ProductApprovals.Approved.NotPossible.class);
        assertThat(server.server().inventory().find(TestServer.device("withdrawn-1")))
                .isEmpty();
    }

    @Test
    void aProductThatAPersonRefusedIsToldSoAndOneUnderAnotherAnchorIsRefusedAtOnce() throws Exception {
        Maker maker = Maker.named("CN=Refused works");
        anchor(maker, Manufacturers.Unregistered.HELD);
        Caller product = product(maker, "NO-1");
        assertThat(enrol(product, "M7", key()).statusCode()).isEqualTo(202);
        server.server()
                .identity()
                .held()
                .decide(TestServer.ENVIRONMENT, held("NO-1").id(), false, "stolen goods", TestServer.TESTER);
        assertRefused(enrol(product, "M7", key()), 403, "refused-by-a-person");

        Maker strict = Maker.named("CN=Strict works");
        anchor(strict, Manufacturers.Unregistered.REFUSED);
        assertRefused(enrol(product(strict, "NO-2"), "M7", key()), 403, "manufacturer-serial-not-registered");
    }

    // ------------------------------------------------------------------ claim certificates

    private record Opened(Claims.Batch batch, Caller caller) {}

    private static Opened open(String name, Claims.Members members, int most, Duration lifetime) {
        var opened = (Claims.Made.Opened) server.server()
                .identity()
                .claims()
                .open(
                        new Claims.Wish(
                                TestServer.ENVIRONMENT,
                                name,
                                "meter",
                                TestServer.MODEL,
                                new Labels(Map.of("batch", name)),
                                members,
                                most,
                                lifetime),
                        TestServer.TESTER);
        return new Opened(
                opened.batch(), new Caller(opened.key(), List.of(opened.batch().certificate())));
    }

    private static Claims.Members pattern(String text) {
        return new Claims.Members(Optional.of(text), Set.of());
    }

    private static Claims.Batch now(Opened opened) {
        return server.server()
                .identity()
                .claims()
                .find(TestServer.ENVIRONMENT, opened.batch().id())
                .orElseThrow();
    }

    @Test
    void eachDeviceOfABatchClaimsOneCertificateAndTheBatchCounts() throws Exception {
        Opened batch = open("a", pattern("a-*"), 2, Duration.ofHours(1));
        KeyPair key = key();
        X509Certificate first = EstCaller.certificate(enrol(batch.caller(), "a-1", key));
        Device device =
                server.server().inventory().find(TestServer.device("a-1")).orElseThrow();
        assertThat(device.model()).isEqualTo(TestServer.MODEL);
        assertThat(device.labels().get("batch")).contains("a");
        assertThat(EstCaller.certificate(enrol(batch.caller(), "a-1", key)))
                .as("the answer was lost: the same again, counted once")
                .isEqualTo(first);
        assertThat(now(batch).used()).isEqualTo(1);
        assertRefused(enrol(batch.caller(), "a-1", key()), 403, "claim-not-for-this-device");
        EstCaller.certificate(enrol(batch.caller(), "a-2", key()));
        assertRefused(enrol(batch.caller(), "a-3", key()), 403, "claim-used-up");
        assertThat(server.server().inventory().find(TestServer.device("a-3"))).isEmpty();
        assertThat(server.server().identity().claims().claimed(batch.batch().id(), 10))
                .containsExactly(new DeviceId("a-1"), new DeviceId("a-2"));
        assertThat(server.server()
                        .identity()
                        .certificates(TestServer.device("a-1"))
                        .getFirst()
                        .profile())
                .isEqualTo("meter");
    }

    @Test
    void ofManyThatClaimAtOnceNoMoreGetOneThanTheBatchHasPlaces() throws Exception {
        Opened batch = open("race", pattern("race-*"), 5, Duration.ofHours(1));
        List<Callable<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            String id = "race-" + i;
            all.add(() -> enrol(batch.caller(), id, key()).statusCode());
        }
        List<Integer> statuses = new ArrayList<>();
        try (var threads = Executors.newFixedThreadPool(8)) {
            for (var answer : threads.invokeAll(all)) {
                statuses.add(answer.get());
            }
        }
        assertThat(statuses.stream().filter(s -> s == 200)).hasSize(5);
        assertThat(statuses.stream().filter(s -> s == 403)).hasSize(11);
        assertThat(now(batch).used()).isEqualTo(5);
    }

    @Test
    void aClaimIsForTheDevicesOfItsBatchAndForNoneThatHasAnIdentity() throws Exception {
        DeviceRef enrolled = server.register("b-enrolled");
        EstCaller.certificate(
                EstCaller.enrol(server, CertificationRequest.create("b-enrolled", key()), server.credential(enrolled)));
        server.register("b-registered");
        Opened byPattern = open("b", pattern("b-*"), 10, Duration.ofHours(1));
        for (String id : List.of("b-enrolled", "b-registered", "c-1", "someone")) {
            assertRefused(enrol(byPattern.caller(), id, key()), 403, "claim-not-for-this-device");
        }
        Opened listed = open(
                "l",
                new Claims.Members(
                        Optional.empty(),
                        Set.of(new DeviceId("b-registered"), new DeviceId("l-new"), new DeviceId("b-enrolled"))),
                10,
                Duration.ofHours(1));
        EstCaller.certificate(enrol(listed.caller(), "b-registered", key()));
        EstCaller.certificate(enrol(listed.caller(), "l-new", key()));
        assertRefused(enrol(listed.caller(), "b-enrolled", key()), 403, "claim-not-for-this-device");
        assertRefused(enrol(listed.caller(), "l-other", key()), 403, "claim-not-for-this-device");
        assertRefused(enrol(listed.caller(), "elsewhere/simpleenroll", "l-new", key()), 404, "est-label-unknown");
        assertRefused(enrol(listed.caller(), "device/simpleenroll", "l-new", key()), 403, "claim-not-for-this-device");
        HttpResponse<String> nameless = enrol(listed.caller(), "not a device", key());
        assertRefused(nameless, 403, "claim-certificate-not-accepted-here");
    }

    @Test
    void aBatchThatIsClosedOrExpiredGivesNothing() throws Exception {
        Opened closed = open("closed", pattern("d-*"), 10, Duration.ofHours(1));
        EstCaller.certificate(enrol(closed.caller(), "d-1", key()));
        server.server()
                .identity()
                .claims()
                .close(TestServer.ENVIRONMENT, closed.batch().id(), "the line stopped", TestServer.TESTER);
        assertRefused(enrol(closed.caller(), "d-2", key()), 403, "claim-closed");
        Opened expired = open("expired", pattern("e-*"), 10, Duration.ofSeconds(1));
        TestServer.await(
                "it has expired", () -> Instant.now().isAfter(expired.batch().expiresAt()));
        assertRefused(enrol(expired.caller(), "e-1", key()), 403, "claim-expired");
        assertThat(server.server().inventory().find(TestServer.device("e-1"))).isEmpty();
    }

    @Test
    void refusesTheBatchsOwnKeyAsADevicesKey() throws Exception {
        Opened batch = open("shared key", pattern("k-*"), 5, Duration.ofDays(1));
        Caller caller = batch.caller();
        KeyPair shared = new KeyPair(caller.chain().getFirst().getPublicKey(), caller.key());
        assertRefused(enrol(caller, "k-1", shared), 403, "key-already-bound-to-another-device");
        assertThat(now(batch).used()).as("nobody has claimed by it").isZero();
        assertThat(enrol(caller, "k-1", key()).statusCode()).isEqualTo(200);

        DeviceRef device = server.register("k-token");
        byte[] request = CertificationRequest.create("k-token", shared);
        assertRefused(
                EstCaller.enrol(server, request, server.credential(device)),
                403,
                "key-already-bound-to-another-device");
        KeyPair own = key();
        X509Certificate current = EstCaller.certificate(
                EstCaller.enrol(server, CertificationRequest.create("k-token", own), server.credential(device)));
        server.server()
                .identity()
                .claims()
                .close(TestServer.ENVIRONMENT, batch.batch().id(), "over", TestServer.TESTER);
        assertRefused(
                enrol(new Caller(own.getPrivate(), List.of(current)), "simplereenroll", "k-token", shared),
                403,
                "key-already-bound-to-another-device");
    }

    @Test
    void refusesAClaimCertificateOnTheRenewalPathAndEverywhereElse() throws Exception {
        Opened batch = open("f", pattern("f-*"), 10, Duration.ofHours(1));
        assertRefused(
                enrol(batch.caller(), "simplereenroll", "f-1", key()), 403, "claim-certificate-not-accepted-here");
        assertRefused(enrol(batch.caller(), "serverkeygen", "f-1", key()), 403, "claim-certificate-not-accepted-here");
        try (var client = EstCaller.client(server, Optional.of(batch.caller()))) {
            for (String path : List.of("/DEFAULT/controller/v1/f-1", "/tuf/1.root.json", "/ingest/v1/flows")) {
                HttpResponse<String> answer = client.send(
                        HttpRequest.newBuilder(URI.create(
                                        "https://localhost:" + server.server().devicePort() + path))
                                .timeout(Duration.ofSeconds(30))
                                .build(),
                        HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode()).as(path + answer.body()).isIn(403, 404, 405);
            }
        }
        assertThat(server.server().identity().admit(batch.batch().certificate(), Instant.now()))
                .isInstanceOf(Admission.Refused.class);
    }

    @Test
    void afterARestoreABatchStaysClosedAndItsPlacesStayTaken() throws Exception {
        Opened batch = open("restored", pattern("g-*"), 10, Duration.ofHours(1));
        EstCaller.certificate(enrol(batch.caller(), "g-1", key()));
        server.server()
                .identity()
                .claims()
                .close(TestServer.ENVIRONMENT, batch.batch().id(), "enough", TestServer.TESTER);
        try (var database = dev.holdfast.database.Database.open(server.database(), 2)) {
            database.run(
                    sql -> { // as the backup from before had it
                        sql.execute(
                                "delete from claim_use where batch = ?",
                                batch.batch().id());
                        sql.execute(
                                "update claim_batch set used = 0, closed_at = null where id = ?",
                                batch.batch().id());
                    });
        }
        var replay = new dev.holdfast.identity.IdentityReplay();
        server.server().journal().run(tx -> {
            for (var entry : server.server().journal().read(0, 100_000)) {
                if (entry.json().path("kind").asText().startsWith("claims.")) {
                    replay.replay(tx, entry);
                }
            }
        });
        assertThat(now(batch).closedAt()).isPresent();
        assertThat(now(batch).used()).isEqualTo(1);
        assertThat(server.server().identity().claims().claimed(batch.batch().id(), 10))
                .containsExactly(new DeviceId("g-1"));
    }

    @Test
    void aSelfSignedCertificateThatIsNoBatchsIsAStrangers() {
        KeyPair key = key();
        X509Certificate forged = dev.holdfast.protocol.x509.ClaimCertificate.make(
                "a",
                key,
                java.math.BigInteger.TEN.pow(30),
                Instant.now().minusSeconds(60),
                Instant.now().plusSeconds(3_600));
        assertThatThrownBy(() -> enrol(new Caller(key.getPrivate(), List.of(forged)), "a-9", key()))
                .isInstanceOf(java.io.IOException.class);
    }
}
