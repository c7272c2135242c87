package dev.holdfast.operator;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import java.nio.file.Files;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// A frozen installation is set free by two people, each at their passkey just now.
class FreezeApiTest {
    private static final String PATH = "/freeze/accept-loss";
    private static final String STATEMENT =
            "{\"reason\":\"the stream is gone; what was revoked on Sunday may be lost\"}";

    @Test
    void twoDifferentPeopleAcceptTheLossAndATokenAloneDoesNot() throws Exception {
        Database.Address address = TestDatabase.freshAddress();
        try (RunningServer server =
                        RunningServer.start(Files.createTempDirectory("holdfast-freeze"), address, Map.of());
                Database database = Database.open(address, 2)) {
            assertThat(server.get("/freeze").json().path("frozen").asBoolean()).isFalse();
            Operator ada = Operator.first(server, "Ada");
            String invitation = server.send(
                            "POST", "/invitations", "{\"name\":\"Ben\",\"role\":\"operator\"}", ada.headers())
                    .json()
                    .path("link")
                    .asText();
            Operator ben = Operator.byLink(server, invitation, "Ben");
            assertThat(server.send("POST", PATH, STATEMENT, ada.headers()).problem())
                    .isEqualTo("conflict");

            server.server().freeze().freeze("restored from a backup", 7, new Actor.Holdfast("backup"));
            assertThat(server.post(PATH, STATEMENT).problem()).isEqualTo("not-allowed");
            assertThat(server.send("POST", PATH, "{\"reason\":\"ok\"}", ada.headers())
                            .problem())
                    .isEqualTo("malformed-request");

            RunningServer.Answer once = server.send("POST", PATH, STATEMENT, ada.headers());
            assertThat(once.status()).as(once.text()).isEqualTo(200);
            assertThat(once.json().path("frozen").asBoolean()).isTrue();
            assertThat(once.json().at("/acceptedBy/0/name").asText()).isEqualTo("Ada");
            assertThat(server.send("POST", PATH, STATEMENT, ada.headers()).problem())
                    .isEqualTo("conflict");

            // Another token of the same person is the same person.
            String token = server.send(
                            "POST",
                            "/tokens",
                            "{\"name\":\"shell\",\"scopes\":[\"read\",\"identity:write\"],\"expiresIn\":\"PT1H\"}",
                            ada.headers())
                    .json()
                    .path("secret")
                    .asText();
            assertThat(server.send("POST", PATH, STATEMENT, Map.of("authorization", "Bearer " + token))
                            .problem())
                    .isEqualTo("conflict");

            database.run(sql -> sql.execute("update account set last_sign_in_at = now() - interval '20 minutes'"));
            RunningServer.Answer stale = server.send("POST", PATH, STATEMENT, ben.headers());
            assertThat(stale.problem()).as(stale.text()).isEqualTo("not-allowed");
            assertThat(stale.text()).contains("sign in to the console again");
            database.run(sql -> sql.execute("update account set last_sign_in_at = now() - interval '1 minute'"));

            JsonNode lifted =
                    server.send("POST", PATH, STATEMENT, ben.headers()).json();
            assertThat(lifted.path("frozen").asBoolean()).isFalse();
            assertThat(server.server().freeze().isFrozen()).isFalse();
            assertThat(server.get("/journal?kind=freeze.lifted")
                            .json()
                            .at("/entries/0/body/by")
                            .size())
                    .isEqualTo(2);
        }
    }
}
