package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.Applicant;
import dev.holdfast.identity.Credential;
import dev.holdfast.identity.EnrolmentOutcome;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A rollover of the root over the API: who has acknowledged and who has not, and two people who leave a device
/// behind.
class RolloversApiTest {
    private static final String DESPITE = "{\"reason\":\"it was scrapped\",\"despite\":true}";

    private static void enrol(RunningServer server, String id) {
        server.post("/devices", "{\"id\":\"%s\",\"model\":\"meter\"}".formatted(id));
        DeviceRef device = DeviceRef.of("development", id);
        EnrolmentTokens.Issued token =
                server.server().identity().issueEnrolmentToken(device, Duration.ofHours(1), new Actor.Holdfast("test"));
        assertThat(server.server()
                        .identity()
                        .enrolment()
                        .enrol(
                                CertificationRequest.create(id, Crypto.generateP256(new SecureRandom())),
                                Applicant.of(
                                        "EST",
                                        new Credential.Token(
                                                device.id(), ((EnrolmentTokens.Issued.Token) token).secret()),
                                        "127.0.0.1")))
                .isInstanceOf(EnrolmentOutcome.Issued.class);
    }

    @Test
    void whoIsMissingIsNamedAndTwoPeopleMayLeaveItBehind() throws Exception {
        try (RunningServer server = RunningServer.start()) {
            server.withMeterModel();
            enrol(server, "m-1");
            enrol(server, "m-2");
            Operator ada = Operator.first(server, "Ada");
            String invitation = server.send(
                            "POST", "/invitations", "{\"name\":\"Ben\",\"role\":\"admin\"}", ada.headers())
                    .json()
                    .path("link")
                    .asText();
            Operator ben = Operator.byLink(server, invitation, "Ben");

            JsonNode started = server.send(
                            "POST", "/rollovers", "{\"kind\":\"root\",\"reason\":\"twenty years\"}", ada.headers())
                    .json();
            String path = "/rollovers/" + started.path("id").asText();
            assertThat(started.path("missing")).hasSize(2);
            JsonNode first = server.get(path + "/devices?only=missing&limit=1").json();
            assertThat(first.at("/devices/0/device").asText()).isEqualTo("m-1");
            JsonNode second = server.get(path + "/devices?only=missing&limit=1&cursor="
                            + first.path("next").asText())
                    .json();
            assertThat(second.at("/devices/0/device").asText()).isEqualTo("m-2");
            assertThat(second.has("next")).isFalse();
            assertThat(server.get(path + "/devices?only=acknowledged").json().path("devices"))
                    .isEmpty();
            assertThat(server.get(path + "/devices?cursor=bm90aGluZw").problem())
                    .isEqualTo("malformed-request");
            assertThat(server.get("/rollovers/none/devices").status()).isEqualTo(404);

            RunningServer.Answer early = server.send("POST", path + "/move", "{\"reason\":\"early\"}", ada.headers());
            assertThat(early.status()).isEqualTo(409);
            assertThat(early.text()).contains("m-1", "m-2");
            assertThat(server.send("POST", path + "/move", DESPITE, ada.headers())
                            .status())
                    .isEqualTo(200);
            assertThat(server.send("POST", path + "/finish", "{\"reason\":\"early\"}", ada.headers())
                            .status())
                    .isEqualTo(409);
            for (int i = 0; i < 2; i++) {
                JsonNode once = server.send("POST", path + "/finish", DESPITE, ada.headers())
                        .json();
                assertThat(once.path("phase").asText()).isEqualTo("moving");
                assertThat(once.path("waivers")).hasSize(1);
                assertThat(once.at("/waivers/0/name").asText()).isEqualTo("Ada");
                assertThat(once.at("/waivers/0/devices").asInt()).isEqualTo(2);
            }
            enrol(server, "m-3"); // under the new root; but it has not said that it trusts it
            assertThat(server.send("POST", path + "/finish", DESPITE, ben.headers())
                            .json()
                            .path("phase")
                            .asText())
                    .as("Ada agreed to two devices, and there are three")
                    .isEqualTo("moving");
            assertThat(server.send("POST", path + "/finish", DESPITE, ada.headers())
                            .json()
                            .path("phase")
                            .asText())
                    .isEqualTo("ended");
        }
    }

    @Test
    void aNextRootOfTheOperatorsIsReadAsHostile() throws Exception {
        try (RunningServer server = RunningServer.start()) {
            String root =
                    Certificates.pem(server.server().ca().authorities().root().certificate());
            for (String bad : List.of("no PEM", root + root, "")) {
                RunningServer.Answer answer = begin(server, bad, root);
                assertThat(answer.status()).as(answer.text()).isEqualTo(400);
            }
            RunningServer.Answer answer = begin(server, root, "no PEM");
            assertThat(answer.status()).as(answer.text()).isEqualTo(400);
            assertThat(server.post("/rollovers", body("issuer", root, root)).status())
                    .isEqualTo(400);
            assertThat(begin(server, root, root).text()).contains("no root of yours is in use yet");
            assertThat(server.get("/rollovers").json().path("rollovers")).isEmpty();
        }
    }

    private static RunningServer.Answer begin(RunningServer server, String root, String crosses) {
        return server.post("/rollovers", body("root", root, crosses));
    }

    private static String body(String kind, String root, String crosses) {
        return JsonNodeFactory.instance
                .objectNode()
                .put("kind", kind)
                .put("reason", "twenty years")
                .put("root", root)
                .put("crosses", crosses)
                .toString();
    }
}
