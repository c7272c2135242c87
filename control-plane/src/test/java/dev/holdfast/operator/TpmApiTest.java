package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.testkit.SoftTpm;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Endorsement keys and reference values over the API.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TpmApiTest {
    private RunningServer server;

    @BeforeAll
    void start() {
        server = RunningServer.start();
        server.withMeterModel();
        for (String id : new String[] {"t-1", "t-2"}) {
            server.post("/devices", "{\"id\":\"%s\",\"model\":\"meter\"}".formatted(id));
        }
    }

    @AfterAll
    void stop() {
        server.close();
    }

    @Test
    void anEndorsementKeyIsRegisteredOnceAndForOneDevice() {
        String pem = Pem.encode(
                        "PUBLIC KEY", SoftTpm.ec(SoftTpm.EK).pair().getPublic().getEncoded())
                .replace("\n", "\\n");
        String body = "{\"keys\":[{\"device\":\"%s\",\"pem\":\"" + pem + "\",\"hardware\":true}]}";
        assertThat(server.post("/endorsement-keys", body.formatted("t-1"))
                        .json()
                        .path("accepted")
                        .asInt())
                .isEqualTo(1);
        assertThat(server.post("/endorsement-keys", body.formatted("t-1"))
                        .json()
                        .path("unchanged")
                        .asInt())
                .isEqualTo(1);
        JsonNode other = server.post("/endorsement-keys", body.formatted("t-2")).json();
        assertThat(other.path("rejected").asInt()).isEqualTo(1);
        assertThat(other.at("/errors/0/message").asText()).contains("another device");
        JsonNode shown = server.get("/devices/t-1/attestation").json();
        assertThat(shown.at("/endorsementKeys/0/hardware").asBoolean()).isTrue();
        assertThat(shown.path("verdicts")).isEmpty();
    }

    @Test
    void referenceValuesAreSetAndLeftOutOnesAreSuperseded() {
        String value = "ab".repeat(32);
        String body = "{\"pcrs\":\"sha256:0,7\",\"every\":\"PT24H\",\"references\":[%s]}";
        String one = "{\"name\":\"1.0\",\"firmware\":\"1.0\",\"values\":{\"sha256:0\":\"" + value + "\"}}";
        String two = "{\"name\":\"2.0\",\"values\":{\"sha256:0\":\"" + value.replace('a', 'c') + "\"}}";
        server.put("/models/meter/pcr-references", body.formatted(one));
        JsonNode now =
                server.put("/models/meter/pcr-references", body.formatted(two)).json();
        assertThat(now.path("pcrs").asText()).isEqualTo("sha256:0,7");
        assertThat(now.path("firstUse").asBoolean()).isFalse();
        assertThat(now.path("every").asText()).isEqualTo("PT24H");
        assertThat(now.at("/references/0/firmware").asText()).isEqualTo("1.0");
        for (String wrong : new String[] {"a day", "PT1S", "P999999D"}) {
            assertThat(server.put(
                                    "/models/meter/pcr-references",
                                    body.formatted("").replace("PT24H", wrong))
                            .status())
                    .as(wrong)
                    .isEqualTo(400);
        }
        assertThat(now.at("/references/0/superseded").asBoolean()).isTrue();
        assertThat(now.at("/references/1/superseded").asBoolean()).isFalse();
        assertThat(server.put(
                                "/models/meter/pcr-references",
                                body.formatted("{\"name\":\"x\",\"values\":{\"sha256:99\":\"00\"}}"))
                        .status())
                .isEqualTo(400);
        assertThat(server.post("/devices/t-2/attestation/approve", "{\"reason\":\"why not\"}")
                        .status())
                .isEqualTo(409);
    }
}
