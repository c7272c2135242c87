package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Profiles, requests that wait, renewal campaigns and shared secrets over the API.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class RenewalsApiTest {
    private RunningServer server;

    @BeforeAll
    void start() {
        server = RunningServer.start();
        server.withMeterModel();
        server.post("/devices", "{\"id\":\"m-1\",\"model\":\"meter\",\"labels\":{\"district\":\"d1\"}}");
    }

    @AfterAll
    void stop() {
        server.close();
    }

    @Test
    void aProfileIsSetShownAndCheckedAgainstWhatItMaySay() {
        RunningServer.Answer made = server.send(
                "PUT",
                "/certificate-profiles/gateway",
                "{\"usages\":[\"tls-client\",\"tls-server\"],\"validity\":{\"lifetime\":\"P7D\",\"jitterPercent\":10},"
                        + "\"admittance\":{\"credentials\":[\"account\"],\"dnsNames\":[\"*.gw.example.org\"]}}",
                java.util.Map.of("content-type", "application/json"));
        assertThat(made.status()).as(made.text()).isEqualTo(201);
        assertThat(server.get("/certificate-profiles/gateway")
                        .json()
                        .at("/validity/lifetime")
                        .asText())
                .isEqualTo("PT168H");
        assertThat(server.get("/certificate-profiles").json().path("profiles").size())
                .isEqualTo(2);
        RunningServer.Answer bad = server.send(
                "PUT",
                "/certificate-profiles/gateway",
                "{\"validity\":{\"lifetime\":\"P9999D\"}}",
                java.util.Map.of("content-type", "application/json"));
        assertThat(bad.status()).isEqualTo(400);
        assertThat(bad.text()).contains("lifetime is between");
    }

    @Test
    void aCampaignSaysWhatItWillDoAndIsStoppedOnce() {
        RunningServer.Answer started =
                server.post("/renewal-campaigns", "{\"all\":true,\"perHour\":60,\"reason\":\"a drill\"}");
        assertThat(started.status()).as(started.text()).isEqualTo(201);
        String id = started.json().path("id").asText();
        assertThat(server.get("/renewal-campaigns/" + id).json().path("total").asInt())
                .isZero();
        assertThat(server.post("/renewal-campaigns/" + id + "/stop", "{\"reason\":\"over\"}")
                        .status())
                .isEqualTo(200);
        assertThat(server.post("/renewal-campaigns/" + id + "/stop", "{\"reason\":\"over\"}")
                        .status())
                .isEqualTo(409);
        assertThat(server.post("/renewal-campaigns", "{\"all\":true,\"device\":\"m-1\",\"reason\":\"x\"}")
                        .text())
                .contains("exactly one of");
        assertThat(server.post("/renewal-campaigns", "{\"selector\":\"district=d1\",\"reason\":\"x\"}")
                        .status())
                .isEqualTo(201);
    }

    @Test
    void aSharedSecretIsShownOnceAndNothingOfItIsOnRecord() {
        RunningServer.Answer made = server.post("/devices/m-1/shared-secret", "{}");
        assertThat(made.status()).as(made.text()).isEqualTo(201);
        String secret = made.json().path("secret").asText();
        assertThat(secret).hasSize(43);
        assertThat(server.get("/journal?limit=20").text())
                .contains(made.json().path("id").asText())
                .doesNotContain(secret);
    }

    @Test
    void thereIsNothingToGoBackToWithoutAnOverlap() {
        RunningServer.Answer answer = server.post("/devices/m-1/certificate-rollback", "{\"reason\":\"try\"}");
        assertThat(answer.status()).isEqualTo(409);
        assertThat(answer.text()).contains("overlap");
    }
}
