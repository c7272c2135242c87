package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Json;
import dev.holdfast.testkit.RealClient;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/// What an admin sets for the whole installation, over the public API.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SettingsApiTest {
    private RunningServer server;

    @BeforeAll
    void start() {
        server = RunningServer.start();
    }

    @AfterAll
    void stop() {
        server.close();
    }

    @Test
    void theOperatorsOwnRootCertifiesAnIssuerWithOpenssl(@TempDir Path folder) throws Exception {
        JsonNode request = server.post("/authorities/requests", "{\"purpose\":\"devices\"}")
                .json();
        Files.writeString(folder.resolve("request.pem"), request.path("pem").asText());
        // The extensions and the signing as docs/root-ceremony.md has them.
        RealClient.of("bash", "-c", """
                        set -e
                        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout root.key -out root.pem \\
                          -days 3650 -subj '/CN=City root' -addext keyUsage=critical,keyCertSign,cRLSign
                        printf 'basicConstraints=critical,CA:TRUE,pathlen:0\\nkeyUsage=critical,keyCertSign,cRLSign\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' > extensions
                        openssl x509 -req -in request.pem -CA root.pem -CAkey root.key -days 1800 -extfile extensions -out issuer.pem
                        cat issuer.pem root.pem > chain.pem
                        """).in(folder).run().succeeded();
        String path = "/authorities/requests/" + request.path("id").asText() + "/certificate";
        assertThat(install(path, Files.readString(folder.resolve("issuer.pem"))).problem())
                .isEqualTo("malformed-request");
        assertThat(install(path, "no certificate at all").problem()).isEqualTo("malformed-request");
        assertThat(install(path.replace(request.path("id").asText(), "device-9"), chain(folder))
                        .problem())
                .isEqualTo("not-found");

        RunningServer.Answer installed = install(path, chain(folder));

        assertThat(installed.status()).as(installed.text()).isEqualTo(200);
        assertThat(installed.json().path("development").asBoolean()).isFalse();
        assertThat(server.get("/ca.pem").text()).contains(lastLines(folder.resolve("issuer.pem")));
    }

    private static String chain(Path folder) throws Exception {
        return Files.readString(folder.resolve("chain.pem"));
    }

    private static String lastLines(Path pem) throws Exception {
        return Files.readAllLines(pem).get(3);
    }

    private RunningServer.Answer install(String path, String chain) {
        return server.put(path, Json.text(Json.mapper().createObjectNode().put("chain", chain)));
    }

    @Test
    void theLimitsOfAutomaticIsolationAreReadAndSet() {
        assertThat(server.get("/isolation-limits").json().path("most").asInt()).isEqualTo(50);
        JsonNode set = server.put(
                        "/isolation-limits",
                        "{\"share\":0.5,\"most\":0,\"window\":\"PT2H\",\"reason\":\"a person decides each time\"}")
                .json();
        assertThat(set.path("allowance").asInt()).isZero();
        assertThat(server.get("/isolation-limits").json().path("window").asText())
                .isEqualTo("PT2H");
        assertThat(server.put(
                                "/isolation-limits",
                                "{\"share\":1.5,\"most\":1,\"window\":\"PT2H\",\"reason\":\"too much\"}")
                        .problem())
                .isEqualTo("malformed-request");
    }
}
