package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.manifest.Manifest;
import dev.holdfast.protocol.manifest.SignedManifest;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.spec.ECGenParameterSpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Releases over the public API: registered as signed or not at all; irreversible only with two people.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ReleasesApiTest {
    private static final String BECAUSE = "{\"reason\":\"tried in the laboratory\"}";
    private RunningServer server;
    private KeyPair key;

    @BeforeAll
    void start() throws Exception {
        server = RunningServer.start();
        server.withMeterModel();
        KeyPairGenerator generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(new ECGenParameterSpec("secp256r1"));
        key = generator.generateKeyPair();
        String pem = "-----BEGIN PUBLIC KEY-----\n"
                + Base64.getMimeEncoder().encodeToString(key.getPublic().getEncoded()) + "\n-----END PUBLIC KEY-----\n";
        ObjectNode trusted =
                Json.mapper().createObjectNode().put("name", "line 1").put("pem", pem);
        assertThat(server.post("/signing-keys", Json.text(trusted)).status()).isEqualTo(201);
    }

    @AfterAll
    void stop() {
        server.close();
    }

    /// Uploads and signs an image of the version, and makes the request that would register it.
    private ObjectNode definition(String version, long counter) throws Exception {
        String image = "image of " + version;
        RunningServer.Answer uploaded = server.send(
                "POST",
                "/artifacts?name=" + version + ".img",
                image,
                Map.of("content-type", "application/octet-stream"));
        assertThat(uploaded.status()).as(uploaded.text()).isEqualTo(201);
        String digest = Digest.of(image.getBytes(StandardCharsets.UTF_8)).hex();
        Manifest manifest = new Manifest(
                "meter", List.of("m1"), version, counter, new Manifest.Image(version + ".img", image.length(), digest));
        ObjectNode definition = Json.mapper()
                .createObjectNode()
                .put("artifact", digest)
                .put("model", "meter")
                .put("version", version);
        definition.set(
                "manifest", Json.mapper().readTree(SignedManifest.sign(manifest, key.getPrivate(), key.getPublic())));
        return definition;
    }

    private JsonNode registered(ObjectNode definition) {
        RunningServer.Answer answer = server.post("/releases", Json.text(definition));
        assertThat(answer.status()).as(answer.text()).isEqualTo(201);
        return answer.json();
    }

    @Test
    void registersNothingThatContradictsItsSignedDescription() throws Exception {
        String other = Digest.of(new byte[] {1}).hex();
        for (ObjectNode wrong : List.of(
                definition("5.0", 1).put("version", "5.1"),
                definition("5.0", 1).put("artifact", other),
                definition("5.0", 1).put("hardware", "m2"))) {
            RunningServer.Answer answer = server.post("/releases", Json.text(wrong));
            assertThat(answer.status()).isEqualTo(409);
            assertThat(answer.text()).contains("the signed description says");
        }
        assertThat(server.get("/releases").text()).doesNotContain("5.0");
        assertThat(registered(definition("5.0", 1).put("hardware", "m1").put("notes", "quieter"))
                        .path("notes")
                        .asText())
                .isEqualTo("quieter");
    }

    @Test
    void aSecondPersonApprovesWhatDevicesCanNotGoBackFrom() throws Exception {
        registered(definition("6.0", 1));
        JsonNode release = registered(definition("6.1", 2).put("irreversible", true));
        String id = release.path("id").asText();
        String rollout = "{\"release\":\"%s\",\"reason\":\"r\",\"plan\":{\"batches\":[{\"devices\":1}]}}".formatted(id);
        server.post("/devices", "{\"id\":\"irr-1\",\"model\":\"meter\"}");
        assertThat(server.post("/rollouts", rollout).text()).contains("a person must approve it first");

        // Another token made with the first one is no second person.
        String token = server.post(
                        "/tokens",
                        "{\"name\":\"other\",\"scopes\":[\"read\",\"firmware:write\"],\"expiresIn\":\"PT1H\"}")
                .json()
                .path("secret")
                .asText();
        for (String own : List.of(server.token(), token)) {
            RunningServer.Answer refused = server.send(
                    "POST", "/releases/" + id + "/approve", BECAUSE, Map.of("authorization", "Bearer " + own));
            assertThat(refused.problem()).as(refused.text()).isEqualTo("not-allowed");
        }
        Operator ada = Operator.first(server, "Ada");
        RunningServer.Answer approved = server.send("POST", "/releases/" + id + "/approve", BECAUSE, ada.headers());
        assertThat(approved.status()).as(approved.text()).isEqualTo(200);
        assertThat(approved.json().path("state").asText()).isEqualTo("approved");
        assertThat(server.send("POST", "/releases/" + id + "/approve", BECAUSE, ada.headers())
                        .problem())
                .isEqualTo("conflict");
    }

    @Test
    void aWithdrawnReleaseIsOutForGood() throws Exception {
        String id = registered(definition("7.0", 1)).path("id").asText();
        assertThat(server.post("/releases/" + id + "/reinstate", BECAUSE).problem())
                .isEqualTo("conflict");
        assertThat(server.post("/releases/" + id + "/withdraw", BECAUSE)
                        .json()
                        .path("state")
                        .asText())
                .isEqualTo("withdrawn");
        assertThat(server.post("/releases/" + id + "/withdraw", BECAUSE).problem())
                .isEqualTo("conflict");
        assertThat(server.post("/releases/" + id + "/reinstate", BECAUSE).problem())
                .isEqualTo("conflict");
    }

    @Test
    void aSiteHasMaintenanceWindowsThatPeopleCanReadBack() {
        String windows =
                "{\"windows\":[{\"days\":[\"sunday\"],\"from\":\"22:00\",\"to\":\"04:00\",\"zone\":\"Europe/Berlin\"}],"
                        + "\"reason\":\"the night shift\"}";
        assertThat(server.put("/maintenance-windows/north", windows).status()).isEqualTo(200);
        assertThat(server.get("/maintenance-windows").json().path("sites").toString())
                .isEqualTo("[{\"site\":\"north\",\"windows\":[{\"days\":[\"sunday\"],\"from\":\"22:00\","
                        + "\"to\":\"04:00\",\"zone\":\"Europe/Berlin\"}]}]");
        assertThat(server.put("/maintenance-windows/north", windows.replace("Europe/Berlin", "Nowhere/AtAll"))
                        .problem())
                .isEqualTo("malformed-request");
        server.put("/maintenance-windows/north", "{\"windows\":[],\"reason\":\"always\"}");
        assertThat(server.get("/maintenance-windows").json().path("sites").size())
                .isZero();
    }
}
