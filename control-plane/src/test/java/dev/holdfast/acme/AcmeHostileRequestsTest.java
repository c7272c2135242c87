package dev.holdfast.acme;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.HostileRequests;
import dev.holdfast.HostileRequests.Hostile;
import dev.holdfast.TestServer;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.profiles.CertificateProfile;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What is refused at EST's door is refused at ACME's: each request finishes an order that is ready, and gets
/// `badCSR`.
class AcmeHostileRequestsTest {
    private static Gateways gateways;
    private static int devices;

    @BeforeAll
    static void start() {
        gateways = new Gateways();
    }

    @AfterAll
    static void stop() {
        gateways.close();
    }

    private static List<Hostile> requests(String device) throws Exception {
        return new HostileRequests(device, AcmeOrdersTest.key(), Optional.empty()).all();
    }

    static List<String> names() throws Exception {
        return requests("any").stream().map(Hostile::name).toList();
    }

    private static HttpResponse<String> finished(String device, byte[] request) throws Exception {
        try (AcmeCaller caller =
                AcmeCaller.account(gateways.server, Gateways.PROFILE, gateways.server.register(device))) {
            JsonNode order =
                    Json.tree(caller.order("permanent-identifier:" + device).body());
            assertThat(order.path("status").asText()).isEqualTo("ready");
            return caller.finish(order, request);
        }
    }

    @ParameterizedTest(name = "refuses {0}")
    @MethodSource("names")
    void refuses(String name) throws Exception {
        String device = "hostile-" + ++devices;
        Hostile hostile = requests(device).stream()
                .filter(one -> one.name().equals(name))
                .findFirst()
                .orElseThrow();
        HttpResponse<String> answer = finished(device, hostile.request());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(400);
        assertThat(Json.tree(answer.body()).path("type").asText())
                .as(answer.body())
                .isEqualTo("urn:ietf:params:acme:error:badCSR");
        assertThat(gateways.server.server().identity().certificates(TestServer.device(device)))
                .isEmpty();
    }

    @Test
    void grantsTheRequestThatIsAsItShouldBe() throws Exception {
        HttpResponse<String> answer = finished(
                "hostile-none", new HostileRequests("hostile-none", AcmeOrdersTest.key(), Optional.empty()).good());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
    }

    @Test
    void refusesOversizedBodies() throws Exception {
        try (AcmeCaller caller = new AcmeCaller(gateways.server, Gateways.PROFILE)) {
            assertThat(caller.send(caller.root + "new-account", new byte[70_000], "application/jose+json")
                            .statusCode())
                    .isEqualTo(413);
        }
    }

    @Test
    void refusesAnotherTenantsLabel() throws Exception {
        gateways.server
                .server()
                .ca()
                .profiles()
                .put(
                        new Environment("staging"),
                        Gateways.profile("tenant-b", CertificateProfile.Attestation.NONE),
                        "for tests",
                        TestServer.TESTER);
        try (AcmeCaller caller = new AcmeCaller(gateways.server, "tenant-b")) {
            assertThat(caller.get(caller.root + "directory").statusCode()).isEqualTo(404);
            assertThat(caller.send(caller.root + "new-account", new byte[2], "application/jose+json")
                            .statusCode())
                    .isEqualTo(404);
        }
    }
}
