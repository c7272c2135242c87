package dev.holdfast.est;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.est.EstCaller.Caller;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.testkit.FaultyLink;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.security.KeyPair;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import org.jooq.exception.DataAccessException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// The database goes away and comes back while devices enrol.
class EnrolmentOutageTest {
    private static final long SEED = Long.getLong("holdfast.seed", 20260302L);
    private static FaultyLink link;
    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        Database.Address direct = TestDatabase.freshAddress();
        link = TestDatabase.link(direct);
        server = TestServer.start(
                Files.createTempDirectory("holdfast-test-server"),
                TestDatabase.through(link, direct),
                Map.of(),
                InstantSource.system());
    }

    @AfterAll
    static void stop() {
        link.heal();
        server.close();
        link.close();
    }

    /// And until the pool has forgotten the connections that were cut.
    @AfterEach
    void heal() {
        link.heal();
        int[] inARow = {0};
        TestServer.await("the database is back", () -> {
            try {
                server.server().journal().head();
                return ++inARow[0] > 20;
            } catch (DataAccessException away) {
                inARow[0] = 0;
                return false;
            }
        });
    }

    private static HttpResponse<String> untilItAnswers(byte[] request, String credential) throws Exception {
        HttpResponse<String> answer = EstCaller.enrol(server, request, credential);
        for (int i = 0; i < 20 && answer.statusCode() == 503; i++) {
            LockSupport.parkNanos(100_000_000);
            answer = EstCaller.enrol(server, request, credential);
        }
        return answer;
    }

    @Test
    void nothingIsIssuedMeanwhileAndTheSameTokenWorksAfterwards() throws Exception {
        DeviceRef device = server.register("gone-1");
        KeyPair key = Crypto.generateP256(EstCaller.RANDOM);
        byte[] request = CertificationRequest.create("gone-1", key);
        String credential = server.credential(device);
        link.cut();
        HttpResponse<String> away = EstCaller.enrol(server, request, credential);
        assertThat(away.statusCode()).isEqualTo(503);
        assertThat(away.body()).contains("database-away");
        assertThat(away.headers().firstValue("retry-after")).isPresent();
        heal();
        assertThat(server.server().identity().certificates(device)).isEmpty();
        Caller caller =
                new Caller(key.getPrivate(), List.of(EstCaller.certificate(untilItAnswers(request, credential))));
        assertThat(server.server().identity().certificates(device)).hasSize(1);

        KeyPair next = Crypto.generateP256(EstCaller.RANDOM);
        link.cut();
        assertThat(EstCaller.renew(server, CertificationRequest.create("gone-1", next), caller)
                        .statusCode())
                .as("renewal")
                .isEqualTo(503);
        heal();
        assertThat(server.server().identity().certificates(device)).hasSize(1);
        assertThat(EstCaller.renew(server, CertificationRequest.create("gone-1", next), caller)
                        .statusCode())
                .isEqualTo(200);
        assertThat(server.server().journal().verify()).isEmpty();
    }

    @Test
    void whateverTheMomentOfTheCutADeviceThatTriesAgainHasOneCertificate() throws Exception {
        Random random = new Random(SEED);
        System.out.println("seed: database cut under enrolments " + SEED);
        for (int i = 0; i < 10; i++) {
            String id = "cut-" + i;
            DeviceRef device = server.register(id);
            byte[] request = CertificationRequest.create(id, Crypto.generateP256(EstCaller.RANDOM));
            String credential = server.credential(device);
            long moment = random.nextInt(40_000_000);
            Thread cutter = Thread.ofVirtual().start(() -> {
                LockSupport.parkNanos(moment);
                link.cut();
                LockSupport.parkNanos(20_000_000);
                link.heal();
            });
            int first = EstCaller.enrol(server, request, credential).statusCode();
            cutter.join();
            assertThat(first).as("seed %d, cut %d", SEED, i).isIn(200, 503);
            assertThat(untilItAnswers(request, credential).statusCode())
                    .as("seed %d, cut %d, again", SEED, i)
                    .isEqualTo(200);
            heal();
            assertThat(server.server().identity().certificates(device))
                    .as("seed %d, cut %d", SEED, i)
                    .hasSize(1);
            assertThat(server.server().inventory().find(device).orElseThrow().state())
                    .isEqualTo(Lifecycle.ENROLLED);
        }
        assertThat(server.server().journal().verify()).isEmpty();
    }
}
