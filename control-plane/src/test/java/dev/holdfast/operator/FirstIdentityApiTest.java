package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How devices get their first identity, as operators set it up by the API: the recipes for a factory's
/// batch and for manufacturers' certificates as they stand, and what the API refuses.
class FirstIdentityApiTest {
    private static RunningServer server;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        server = RunningServer.start();
        server.withMeterModel();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static Recipe recipe(String page) {
        return Recipe.read(Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/recipes/" + page));
    }

    private static Map<String, String> settings() {
        return Map.of(
                "HOLDFAST",
                "localhost:" + server.server().devicePort(),
                "PKI",
                "http://localhost:" + server.server().pkiPort(),
                "API",
                server.url() + "/api/v1",
                "OPERATOR_TOKEN",
                server.token());
    }

    @Test
    void theFactorysRecipeOpensABatchClaimsAndClosesIt() throws Exception {
        var result = recipe("factory-with-claim-certificates.md").run(folder, settings(), Duration.ofSeconds(60));
        assertThat(result.text()).contains("subject=CN = wk12-0001").contains("1 of 2 claimed: wk12-0001");
        assertThat(Certificates.commonName(Certificates.parsePem(Files.readString(folder.resolve("device.pem")))
                        .getFirst()))
                .contains("wk12-0001");
        JsonNode device = server.get("/devices/wk12-0001").json();
        assertThat(device.path("model").asText()).isEqualTo("meter");
        assertThat(device.at("/labels/batch").asText()).isEqualTo("week-12");
        JsonNode batch = server.get("/claim-batches").json().at("/batches/0");
        assertThat(batch.path("used").asInt()).isEqualTo(1);
        assertThat(batch.hasNonNull("closedAt")).isTrue();
        assertThat(batch.has("key")).as("shown once").isFalse();
        String journal = server.get("/journal?kind=claims.&limit=100").text();
        assertThat(journal).contains("claims.opened").contains("claims.used").contains("claims.closed");
        assertThat(journal).doesNotContain("PRIVATE KEY");
    }

    @Test
    void theManufacturersRecipeRegistersEnrolsAndAdmitsJustInTime() throws Exception {
        var result = recipe("manufacturer-certificates.md").run(folder, settings(), Duration.ofSeconds(60));
        assertThat(result.text())
                .contains("1 accepted, 0 rejected")
                .contains("202 after 60 s")
                .contains("subject=CN = meter-0001")
                .contains("approved")
                .contains("subject=CN = meter-0002");
        assertThat(server.get("/devices/meter-0002").json().path("model").asText())
                .isEqualTo("meter");
        assertThat(server.get("/enrolment-requests?state=approved").text()).contains("SN-0002");
    }

    @Test
    void aFactorysFileIsTakenLineByLineAndMayBeSentAgain() {
        dev.holdfast.est.EstCaller.Maker maker = dev.holdfast.est.EstCaller.Maker.named("CN=File works");
        String anchor = server.post(
                        "/manufacturer-anchors",
                        Json.text(Map.of("name", "File works", "pem", Certificates.pem(maker.certificate()))))
                .json()
                .path("id")
                .asText();
        String file = """
                serialNumber,device,model
                F-1,file-1,meter
                F-2,file-2,no-such-model
                F-3,not a device,meter
                F-4,file-4,
                F-1,file-5,meter
                """;
        JsonNode first = csv(anchor, file);
        assertThat(first.path("read").asInt()).isEqualTo(5);
        assertThat(first.path("accepted").asInt()).isEqualTo(1);
        assertThat(first.path("errors").toString())
                .contains("there is no model no-such-model")
                .contains("there is no device file-4")
                .contains("belongs to another device");
        assertThat(server.get("/devices/file-5").status())
                .as("a line that is not taken registers nothing")
                .isEqualTo(404);
        assertThat(csv(anchor, "serialNumber,device\nF-1,file-1\n")
                        .path("unchanged")
                        .asInt())
                .isEqualTo(1);
        assertThat(send(anchor, "serial,device\nF-1,file-1\n").status()).isEqualTo(400);
        assertThat(send("none-such", "serialNumber,device\nF-1,file-1\n").status())
                .isEqualTo(409);
    }

    private static RunningServer.Answer send(String anchor, String file) {
        return server.send(
                "POST", "/imports/manufacturer-serials?anchor=" + anchor, file, Map.of("content-type", "text/csv"));
    }

    private static JsonNode csv(String anchor, String file) {
        return send(anchor, file).json();
    }

    @Test
    void aBatchThatMakesNoSenseIsRefusedWithTheReason() {
        for (String wrong : new String[] {
            "{\"name\":\"x\",\"model\":\"no-such\",\"pattern\":\"a-*\",\"most\":1}",
            "{\"name\":\"x\",\"model\":\"meter\",\"most\":1}",
            "{\"name\":\"x\",\"model\":\"meter\",\"pattern\":\"a-*\",\"devices\":[\"a\"],\"most\":1}",
            "{\"name\":\"x\",\"model\":\"meter\",\"pattern\":\"a-*\"}",
            "{\"name\":\"x\",\"model\":\"meter\",\"pattern\":\"a/[b]\",\"most\":1}",
            "{\"name\":\"x\",\"model\":\"meter\",\"pattern\":\"a-*\",\"most\":1,\"openFor\":\"P91D\"}",
            "{\"name\":\"x\",\"model\":\"meter\",\"pattern\":\"a-*\",\"most\":1,\"profile\":\"nowhere\"}",
            "{\"name\":\"x\\u0000\",\"model\":\"meter\",\"pattern\":\"a-*\",\"most\":1}"
        }) {
            RunningServer.Answer answer = server.post("/claim-batches", wrong);
            assertThat(answer.status()).as(wrong + answer.text()).isEqualTo(400);
        }
        assertThat(server.get("/claim-batches/none-such").status()).isEqualTo(404);
    }

    @Test
    void aRequestOfAKnownDeviceIsNotRenamedByItsApproval() {
        server.put("/certificate-profiles/asked", "{\"usages\":[\"tls-client\"],\"admittance\":{\"approval\":true}}");
        DeviceRef device = DeviceRef.of("development", "asked-1");
        server.post("/devices", "{\"id\":\"asked-1\",\"model\":\"meter\"}");
        var key = dev.holdfast.protocol.x509.Crypto.generateP256(new java.security.SecureRandom());
        var secret = (dev.holdfast.identity.EnrolmentTokens.Issued.Token) server.server()
                .identity()
                .issueEnrolmentToken(device, Duration.ofHours(1), new dev.holdfast.core.Actor.Holdfast("test"));
        server.server()
                .identity()
                .enrolment()
                .enrol(
                        dev.holdfast.protocol.x509.CertificationRequest.create("asked-1", key),
                        dev.holdfast.identity.Applicant.of(
                                        "EST",
                                        new dev.holdfast.identity.Credential.Token(device.id(), secret.secret()),
                                        "127.0.0.1:1")
                                .by("asked"));
        String id = server.get("/enrolment-requests?state=waiting")
                .json()
                .at("/requests/0/id")
                .asText();
        assertThat(server.post("/enrolment-requests/" + id + "/approve", "{\"reason\":\"x\",\"device\":\"other\"}")
                        .status())
                .isEqualTo(400);
        assertThat(server.post("/enrolment-requests/" + id + "/approve", "{\"reason\":\"on the list\"}")
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("approved");
    }
}
