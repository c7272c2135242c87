package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Why a device does not come in, as openssl and curl bring it about and the API says it.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConnectionDiagnosisTest {
    private RunningServer server;

    @BeforeAll
    void start() throws Exception {
        server = RunningServer.start();
        server.withMeterModel();
        Files.writeString(
                file("root.pem"),
                Certificates.pem(server.server().ca().authorities().root().certificate()));
    }

    @AfterAll
    void stop() {
        server.close();
    }

    private Path file(String name) {
        return server.folder().resolve(name);
    }

    private void register(String id) {
        assertThat(server.post("/devices", "{\"id\":\"" + id + "\",\"model\":\"meter\"}")
                        .status())
                .isEqualTo(201);
    }

    private JsonNode diagnosis(String id) {
        RunningServer.Answer answer = server.get("/devices/" + id + "/connection-diagnosis");
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        return answer.json();
    }

    private List<String> causes(String id) {
        List<String> causes = new ArrayList<>();
        diagnosis(id)
                .path("reasons")
                .forEach(reason -> causes.add(reason.path("cause").asText()));
        return causes;
    }

    private RealClient.Result shell(String commands) {
        return RealClient.of("bash", "-c", commands)
                .in(server.folder())
                .with(Map.of("PORT", "" + server.server().devicePort()))
                .run();
    }

    private void enrol(String id) {
        register(id);
        String token = server.post("/devices/" + id + "/enrolment-token", "{}")
                .json()
                .path("token")
                .asText();
        shell(enrolment(id, token)).succeeded();
    }

    private static String enrolment(String id, String token) {
        return "set -e -o pipefail; openssl ecparam -name prime256v1 -genkey -noout -out " + id
                + ".key; openssl req -new"
                + " -key " + id + ".key -subj /CN=" + id + " -outform DER | openssl base64 | curl -sS --fail-with-body"
                + " --cacert root.pem --user '" + id + ":" + token + "' -H 'Content-Type: application/pkcs10'"
                + " --data-binary @- https://localhost:$PORT/.well-known/est/simpleenroll | openssl base64 -d -A |"
                + " openssl pkcs7 -inform DER -print_certs -out " + id + ".pem";
    }

    @Test
    void aDeviceThatShowsAStrangersCertificateIsToldByItsNameWhatToDo() {
        register("stranger-1");
        shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout s.key -out s.pem -days 2"
                + " -subj /CN=stranger-1 -addext basicConstraints=critical,CA:FALSE 2>/dev/null; echo | openssl s_client -connect localhost:$PORT -cert"
                + " s.pem -key s.key -CAfile root.pem -quiet");
        TestServer.await("the handshake is seen", () -> causes("stranger-1").contains("ISSUER_UNKNOWN"));
        JsonNode reason = diagnosis("stranger-1").path("reasons").get(1);
        assertThat(reason.path("sure").asBoolean()).isTrue();
        assertThat(reason.path("kind").asText()).isEqualTo("handshake");
        assertThat(reason.path("fix").asText()).contains("holdfast device token stranger-1");
        assertThat(diagnosis("stranger-1").path("sentence").asText())
                .as("what is on record comes first")
                .isEqualTo("stranger-1 can't come in: it is registered and has never had a certificate.");
    }

    @Test
    void aWrongTokenARevocationAndAGoodConnectionAreEachSaid() {
        register("tries-1");
        RealClient.Result refused = shell(enrolment("tries-1", "wrong"));
        assertThat(refused.text() + refused.errors()).contains("401");
        TestServer.await("the token is seen", () -> causes("tries-1").contains("TOKEN_WRONG"));

        enrol("meter-1");
        JsonNode fresh = diagnosis("meter-1");
        assertThat(fresh.path("verdict").asText()).isEqualTo("not-tried");
        String serial = server.get("/devices/meter-1/certificates")
                .json()
                .at("/certificates/0/serial")
                .asText();
        assertThat(server.post(
                                "/certificates/" + serial + "/revoke",
                                "{\"reason\":\"lost\",\"code\":\"certificateHold\"}")
                        .status())
                .as("a hold is its device's: suspend that")
                .isEqualTo(400);
        assertThat(server.post(
                                "/certificates/" + serial + "/revoke",
                                "{\"reason\":\"lost\",\"code\":\"keyCompromise\"}")
                        .status())
                .isEqualTo(200);
        shell("curl -sS --cacert root.pem --cert meter-1.pem --key meter-1.key"
                + " https://localhost:$PORT/DEFAULT/controller/v1/meter-1");
        TestServer.await("the refusal is seen", () -> {
            List<String> all = causes("meter-1");
            return all.size() > 1 && all.stream().allMatch("CERTIFICATE_REVOKED"::equals);
        });
        JsonNode barred = diagnosis("meter-1");
        assertThat(barred.path("verdict").asText()).isEqualTo("barred");
        assertThat(barred.path("reasons").get(0).path("sentence").asText()).contains(serial, "key-compromise");
        assertThat(barred.path("reasons").get(1).path("kind").asText()).isEqualTo("admission");
    }

    @Test
    void aDeviceThatDoesNotKnowOurRootSaysSoAndIsHeard() {
        enrol("meter-2");
        for (String version : List.of("-tls1_3", "-tls1_2")) {
            shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout o.key -out other.pem"
                    + " -days 2 -subj /CN=Other 2>/dev/null; echo | openssl s_client -connect localhost:$PORT "
                    + version
                    + " -cert meter-2.pem -key meter-2.key -CAfile other.pem -verify_return_error -quiet");
        }
        TestServer.await("the alerts are heard", () -> rejected().size() == 1);
        JsonNode failure = rejected().getFirst();
        assertThat(failure.path("sentence").asText().toUpperCase(java.util.Locale.ROOT))
                .contains("UNKNOWN_CA");
        assertThat(failure.path("times").asInt())
                .as("in clear by TLS 1.3, and by 1.2")
                .isEqualTo(2);
    }

    @Test
    void aDeviceThatForgotItsCertificateIsToldByTheNameItsClientUses() {
        enrol("meter-3");
        RealClient.Result refused = shell("mosquitto_pub -h localhost -p "
                + server.server().mqttPort() + " --cafile root.pem -i meter-3 -t d/meter-3/telemetry -m '{}'");
        assertThat(refused.errors()).contains("not authorised");
        TestServer.await("it is seen", () -> causes("meter-3").contains("NO_CERTIFICATE"));
        JsonNode reason = diagnosis("meter-3").path("reasons").get(0);
        assertThat(reason.path("fix").asText()).contains("--cert");
        assertThat(reason.path("readOn").asText()).endsWith("#no-certificate");
    }

    private List<JsonNode> rejected() {
        List<JsonNode> some = new ArrayList<>();
        server.get("/connection-failures?address=127.0.0.1")
                .json()
                .path("failures")
                .forEach(failure -> {
                    if (failure.path("cause").asText().equals("CLIENT_REJECTED_OUR_CERTIFICATE")
                            && failure.path("times").asInt() == 2) {
                        some.add(failure);
                    }
                });
        return some;
    }

    @Test
    void aProfileSaysWhatItWouldSay() throws Exception {
        shell("openssl req -new -newkey rsa:2048 -nodes -keyout r.key -subj /CN=m-9 -addext"
                        + " subjectAltName=DNS:www.example.org -out r.csr 2>/dev/null; openssl req -new -newkey ec"
                        + " -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout e.key -subj /CN=m-9 -addext"
                        + " subjectAltName=DNS:www.example.org -out e.csr 2>/dev/null")
                .succeeded();
        assertThat(faults("r.csr").toString()).contains("KEY_WEAK");
        assertThat(faults("e.csr").toString()).contains("www.example.org is not one that it certifies");
    }

    private JsonNode faults(String request) throws Exception {
        String pem = Files.readString(file(request)).replace("\n", "\\n");
        return server.post("/certificate-profiles/device/lint", "{\"pem\":\"" + pem + "\"}")
                .json()
                .path("faults");
    }
}
