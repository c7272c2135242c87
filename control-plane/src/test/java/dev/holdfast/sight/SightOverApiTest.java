package dev.holdfast.sight;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.est.EstCaller;
import dev.holdfast.operator.RunningServer;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// From enrolments over EST to what an operator sees over the API, the whole way.
class SightOverApiTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    /// An installation that renews one certificate an hour serves this many in a day.
    private static final int SERVABLE = 24;

    private static TestServer server;
    private static RunningServer api;

    @BeforeAll
    static void start() {
        server = TestServer.start(
                Map.of("HOLDFAST_ACCESS_FIRST_TOKEN", "true", "HOLDFAST_CERTIFICATES_RENEWALS_PER_HOUR", "1"));
        api = RunningServer.over(server);
        server.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        CertificateProfile.of(
                                "device",
                                CertificateProfile.Usage.TLS_CLIENT,
                                Duration.ofHours(6),
                                Duration.ofDays(30)),
                        "certificates for a shift",
                        TestServer.TESTER);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static HttpResponse<String> enrol(String id, KeyPair key) throws Exception {
        DeviceRef device = server.register(id);
        return EstCaller.enrol(server, CertificationRequest.create(id, key), server.credential(device));
    }

    private static Optional<JsonNode> first(String path, String list, String field, String value) {
        return StreamSupport.stream(api.get(path).json().path(list).spliterator(), false)
                .filter(one -> one.path(field).asText().equals(value))
                .findFirst();
    }

    @Test
    void aFleetWhoseCertificatesEndFasterThanTheyCanBeRenewedIsACliffAndAnIncidentOfItsAuthority() throws Exception {
        for (int i = 0; i <= SERVABLE; i++) {
            assertThat(enrol("cliff-" + i, Crypto.generateP256(RANDOM)).statusCode())
                    .isEqualTo(200);
        }
        TestServer.await("the forecast shows it", () -> {
            server.server().sight().look(); // as it does by itself every ten minutes
            return first("/incidents?open=true", "incidents", "cause", "RENEWAL_CLIFF")
                    .isPresent();
        });
        JsonNode forecast = api.get("/certificates/forecast?days=7&by=day").json();
        assertThat(forecast.at("/answer/word").asText()).isEqualTo("bad");
        assertThat(forecast.at("/answer/sentence").asText()).startsWith("No: ").contains("would be locked out");
        JsonNode incident = first("/incidents?open=true", "incidents", "cause", "RENEWAL_CLIFF")
                .orElseThrow();
        assertThat(incident.path("provenance").asText()).isEqualTo("proven");
        assertThat(incident.path("severity").asText()).isEqualTo("high");
        assertThat(incident.path("authority").asText()).isNotBlank();
        assertThat(incident.has("device")).isFalse();
        JsonNode whole = api.get("/incidents/" + incident.path("id").asText()).json();
        assertThat(whole.at("/evidence/0/seen").asText()).contains(SERVABLE + " renewals can be served before");
        assertThat(whole.path("actions")).isEmpty();
    }

    @Test
    void oneKeyInManyDevicesIsAFindingOnEachOfThemAndIsolatesNone() throws Exception {
        KeyPair copied = Crypto.generateP256(RANDOM);
        assertThat(enrol("image-1", copied).statusCode()).isEqualTo(200);
        for (int i = 2; i <= 4; i++) {
            HttpResponse<String> refused = enrol("image-" + i, copied);
            assertThat(refused.statusCode()).isEqualTo(403);
        }
        for (int i = 1; i <= 4; i++) {
            String id = "image-" + i;
            TestServer.await(
                    "a finding on " + id,
                    () -> first("/findings?device=" + id, "findings", "cause", "KEY_SHARED")
                            .isPresent());
            JsonNode finding = first("/findings?device=" + id, "findings", "cause", "KEY_SHARED")
                    .orElseThrow();
            assertThat(finding.path("provenance").asText()).isEqualTo("proven");
            assertThat(finding.path("seen").asText())
                    .matches("image-\\d asked for a certificate for the key of image-1");
            assertThat(api.get("/devices/" + id).json().path("state").asText()).isIn("registered", "enrolled");
        }
        TestServer.await(
                "an incident",
                () -> first("/incidents?open=true", "incidents", "device", "image-4")
                        .isPresent());
        JsonNode incident =
                first("/incidents?open=true", "incidents", "device", "image-4").orElseThrow();
        assertThat(incident.path("cause").asText()).isEqualTo("KEY_SHARED");
        JsonNode keys = api.get("/certificates/keys").json();
        for (int i = 1; i <= 4; i++) {
            String id = "image-" + i;
            assertThat(keys.path("shared"))
                    .as(id)
                    .anyMatch(one -> one.path("device").asText().equals(id));
        }
    }
}
