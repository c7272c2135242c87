package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.Json;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/// The way in, as a browser and an authenticator go it, over real HTTP.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class PasskeyTest {
    private static final Map<String, String> NOBODY = Map.of("authorization", "-");
    private RunningServer server;
    private SoftAuthenticator authenticator;
    private String cookie = "";
    private String csrf = "";

    @BeforeAll
    void start() {
        server = RunningServer.start();
        authenticator = new SoftAuthenticator(server.url());
    }

    @AfterAll
    void stop() {
        server.close();
    }

    private RunningServer.Answer anonymously(String path, ObjectNode body) {
        return server.send("POST", path, Json.text(body), NOBODY);
    }

    private static ObjectNode object() {
        return Json.mapper().createObjectNode();
    }

    private Map<String, String> signedIn() {
        return Map.of("authorization", "-", "cookie", cookie, "x-holdfast-csrf", csrf);
    }

    private void remember(RunningServer.Answer answer) {
        String setCookie = answer.headers().getOrDefault("set-cookie", "");
        assertThat(setCookie).contains("HttpOnly").contains("SameSite=Strict").contains("Path=/");
        cookie = setCookie.substring(0, setCookie.indexOf(';'));
        csrf = answer.json().path("csrf").asText();
    }

    private RunningServer.Answer register(String link, String name, SoftAuthenticator with) throws Exception {
        RunningServer.Answer begun =
                anonymously("/session/link/options", object().put("link", link).put("name", name));
        assertThat(begun.status()).isEqualTo(200);
        ObjectNode finish = object().put("link", link).put("name", name);
        finish.put("ceremony", begun.json().path("ceremony").asText());
        finish.set("credential", with.create(begun.json().path("publicKey")));
        return anonymously("/session/link/passkey", finish);
    }

    private RunningServer.Answer signIn(SoftAuthenticator with) throws Exception {
        JsonNode begun = anonymously("/session/passkey/options", object()).json();
        ObjectNode finish = object().put("ceremony", begun.path("ceremony").asText());
        finish.set("credential", with.get(begun.path("publicKey")));
        return anonymously("/session/passkey", finish);
    }

    private static String secret(String link) {
        return link.substring(link.indexOf('#') + 1);
    }

    @Test
    @Order(1)
    void theFirstOperatorComesInByTheLinkPrintedAtStartAndByNothingElse() throws Exception {
        assertThat(server.send("GET", "/me", null, NOBODY)
                        .json()
                        .at("/server/firstOperatorMissing")
                        .asBoolean())
                .isTrue();
        List<String> lines = server.server().operator().welcome();
        String link = secret(lines.getLast());

        JsonNode described =
                anonymously("/session/link", object().put("link", link)).json();
        assertThat(described.path("purpose").asText()).isEqualTo("first-operator");
        assertThat(described.path("role").asText()).isEqualTo("admin");

        RunningServer.Answer answer = register(link, "Ada", authenticator);

        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(answer.json().path("signedIn").asBoolean()).isTrue();
        assertThat(answer.json().path("name").asText()).isEqualTo("Ada");
        remember(answer);
        assertThat(server.send("GET", "/me", null, signedIn())
                        .json()
                        .path("via")
                        .asText())
                .isEqualTo("passkey");
        assertThat(server.get("/me").json().at("/server/firstOperatorMissing").asBoolean())
                .isFalse();
    }

    @Test
    @Order(2)
    void aLinkWorksOnce() throws Exception {
        String link = secret(server.post("/invitations", "{\"name\":\"Eve\",\"role\":\"viewer\"}")
                .json()
                .path("link")
                .asText());
        assertThat(register(link, "Eve", new SoftAuthenticator(server.url())).status())
                .isEqualTo(200);

        assertThat(anonymously("/session/link", object().put("link", link)).status())
                .isEqualTo(404);
        assertThat(anonymously(
                                "/session/link/options",
                                object().put("link", link).put("name", "Mallory"))
                        .problem())
                .isEqualTo("not-found");
    }

    @Test
    @Order(3)
    void signsInAgainWithThePasskey() throws Exception {
        RunningServer.Answer answer = signIn(authenticator);

        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        remember(answer);
    }

    @Test
    @Order(4)
    void anAnswerToOneChallengeIsNotTakenTwice() throws Exception {
        JsonNode begun = anonymously("/session/passkey/options", object()).json();
        ObjectNode finish = object().put("ceremony", begun.path("ceremony").asText());
        finish.set("credential", authenticator.get(begun.path("publicKey")));
        assertThat(anonymously("/session/passkey", finish).status()).isEqualTo(200);

        RunningServer.Answer replayed = anonymously("/session/passkey", finish);

        assertThat(replayed.problem()).isEqualTo("not-verified");
    }

    @Test
    @Order(5)
    void refusesAPasskeyThatCheats() throws Exception {
        authenticator.signsWrongly = true;
        assertThat(signIn(authenticator).problem()).isEqualTo("not-verified");
        authenticator.signsWrongly = false;
        authenticator.verifiesUser = false;
        assertThat(signIn(authenticator).problem()).isEqualTo("not-verified");
        authenticator.verifiesUser = true;
        authenticator.origin = "http://evil.example";
        assertThat(signIn(authenticator).problem()).isEqualTo("not-verified");
        authenticator.origin = server.url();
        authenticator.rpId = "evil.example";
        assertThat(signIn(authenticator).problem()).isEqualTo("not-verified");
        authenticator.rpId = "localhost";
        assertThat(signIn(new SoftAuthenticator(server.url())).problem()).isEqualTo("not-verified");
        assertThat(signIn(authenticator).status()).isEqualTo(200);
    }

    @Test
    @Order(6)
    void aWriteWithACookieNeedsTheHeaderThatOnlyOurPageKnows() {
        String invite = "{\"name\":\"Bob\",\"role\":\"operator\"}";
        Map<String, String> withoutCsrf = Map.of("authorization", "-", "cookie", cookie);

        assertThat(server.send("POST", "/invitations", invite, withoutCsrf).problem())
                .isEqualTo("forged-request");
        assertThat(server.send("POST", "/invitations", invite, signedIn()).status())
                .isEqualTo(201);
    }

    @Test
    @Order(7)
    void theLastAdminAndTheLastPasskeyStay() {
        JsonNode me = server.send("GET", "/me", null, signedIn()).json();
        RunningServer.Answer demoted =
                server.patch("/accounts/" + me.path("id").asText(), "{\"role\":\"viewer\",\"reason\":\"trying\"}");
        assertThat(demoted.problem()).isEqualTo("conflict");

        String passkey = server.send("GET", "/passkeys", null, signedIn())
                .json()
                .at("/passkeys/0/id")
                .asText();
        assertThat(server.send("DELETE", "/passkeys/" + passkey, null, signedIn())
                        .problem())
                .isEqualTo("conflict");
    }

    @Test
    @Order(8)
    void addsAnotherPasskeyToOnesOwnAccount() throws Exception {
        JsonNode begun =
                server.send("POST", "/passkeys/options", "{}", signedIn()).json();
        ObjectNode finish =
                object().put("ceremony", begun.path("ceremony").asText()).put("name", "phone");
        SoftAuthenticator phone = new SoftAuthenticator(server.url());
        finish.set("credential", phone.create(begun.path("publicKey")));

        assertThat(server.send("POST", "/passkeys", Json.text(finish), signedIn())
                        .status())
                .isEqualTo(201);
        assertThat(signIn(phone).json().path("name").asText()).isEqualTo("Ada");
    }

    @Test
    @Order(9)
    void lockingAnAccountEndsItsSessionsAndItsTokensAtOnce() throws Exception {
        String link = secret(server.post("/invitations", "{\"name\":\"Tom\",\"role\":\"operator\"}")
                .json()
                .path("link")
                .asText());
        SoftAuthenticator toms = new SoftAuthenticator(server.url());
        RunningServer.Answer tom = register(link, "Tom", toms);
        String setCookie = tom.headers().getOrDefault("set-cookie", "");
        Map<String, String> asTom = Map.of(
                "authorization", "-",
                "cookie", setCookie.substring(0, setCookie.indexOf(';')),
                "x-holdfast-csrf", tom.json().path("csrf").asText());
        String token = server.send(
                        "POST", "/tokens", "{\"name\":\"script\",\"scopes\":[\"read\"],\"expiresIn\":\"P1D\"}", asTom)
                .json()
                .path("secret")
                .asText();
        assertThat(server.send("GET", "/models", null, Map.of("authorization", "Bearer " + token))
                        .status())
                .isEqualTo(200);

        server.patch(
                "/accounts/" + tom.json().path("id").asText(), "{\"locked\":true,\"reason\":\"left the company\"}");

        assertThat(server.send("GET", "/models", null, asTom).status()).isEqualTo(401);
        assertThat(server.send("GET", "/models", null, Map.of("authorization", "Bearer " + token))
                        .status())
                .isEqualTo(401);
        assertThat(signIn(toms).problem()).isEqualTo("not-allowed");
    }

    @Test
    @Order(10)
    void signsOut() {
        assertThat(server.send("DELETE", "/session", null, signedIn()).status()).isEqualTo(204);
        assertThat(server.send("GET", "/models", null, signedIn()).problem()).isEqualTo("not-signed-in");
    }

    @Test
    @Order(11)
    void everyChangeOfAccessStandsInTheJournalWithoutAName() {
        String journal = server.get("/journal/chain?limit=1000").text();
        assertThat(journal)
                .contains("access.operator-registered")
                .contains("access.link-made")
                .contains("access.token-made")
                .contains("access.account-changed")
                .contains("access.signed-in");
        for (String name : new String[] {"Ada", "Eve", "Tom"}) {
            assertThat(journal).doesNotContain(name);
        }
    }
}
