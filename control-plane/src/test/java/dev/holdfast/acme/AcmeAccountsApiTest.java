package dev.holdfast.acme;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.operator.RunningServer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What operators see of ACME accounts, and how they end one, over the API.
class AcmeAccountsApiTest {
    private static Gateways gateways;
    private static RunningServer api;

    @BeforeAll
    static void start() {
        gateways = new Gateways();
        api = RunningServer.over(gateways.server);
    }

    @AfterAll
    static void stop() {
        gateways.close();
    }

    private static AcmeCaller account(DeviceRef device) throws Exception {
        return AcmeCaller.account(gateways.server, Gateways.PROFILE, device);
    }

    private static Map<String, Object> order(String device) {
        return Map.of("identifiers", List.of(Map.of("type", "permanent-identifier", "value", device)));
    }

    @Test
    void anAccountIsShownWithItsDeviceSecretAndOrdersAndNeverItsKeyItself() throws Exception {
        DeviceRef device = gateways.server.register("shown-1");
        try (AcmeCaller caller = account(device)) {
            caller.post(caller.root + "new-order", order("shown-1"));
            JsonNode one = api.get("/acme-accounts?device=shown-1").json().at("/accounts/0");
            assertThat(caller.kid).endsWith(one.path("id").asText());
            assertThat(one.path("device").asText()).isEqualTo("shown-1");
            assertThat(one.path("profile").asText()).isEqualTo(Gateways.PROFILE);
            assertThat(one.path("thumbprint").asText()).isEqualTo(AcmeCaller.thumbprint(caller.key));
            assertThat(one.path("status").asText()).isEqualTo("valid");
            assertThat(one.path("secret").asText()).isNotBlank();
            assertThat(one.path("orders").asInt()).isEqualTo(1);
            assertThat(one.path("issued").asInt()).isZero();
            assertThat(one.path("lastOrderAt").asText()).isNotBlank();
        }
        assertThat(api.get("/acme-accounts?device=nobody").json().path("accounts"))
                .isEmpty();
        assertThat(api.get("/acme-accounts?device=..%2f").status()).isEqualTo(400);
    }

    @Test
    void theListHasPages() throws Exception {
        DeviceRef device = gateways.server.register("paged-1");
        for (int i = 0; i < 3; i++) {
            account(device).close();
        }
        JsonNode first = api.get("/acme-accounts?device=paged-1&limit=2").json();
        assertThat(first.path("accounts")).hasSize(2);
        JsonNode second = api.get("/acme-accounts?device=paged-1&limit=2&cursor="
                        + first.path("next").asText())
                .json();
        assertThat(second.path("accounts")).hasSize(1);
        assertThat(second.has("next")).isFalse();
    }

    @Test
    void whatAnOperatorDeactivatesIsRefusedFromThenOnWithTheReasonInTheJournal() throws Exception {
        DeviceRef device = gateways.server.register("ended-1");
        try (AcmeCaller caller = account(device)) {
            caller.post(caller.root + "new-order", order("ended-1"));
            String id = api.get("/acme-accounts?device=ended-1")
                    .json()
                    .at("/accounts/0/id")
                    .asText();
            assertThat(api.post("/acme-accounts/" + id + "/deactivate", "{}").status())
                    .isEqualTo(400);
            JsonNode ended = api.post("/acme-accounts/" + id + "/deactivate", "{\"reason\":\"the gateway was sold\"}")
                    .json();
            assertThat(ended.path("status").asText()).isEqualTo("deactivated");
            assertThat(ended.path("deactivatedAt").asText()).isNotBlank();
            assertThat(caller.post(caller.root + "new-order", order("ended-1")).body())
                    .contains("the account was deactivated");
            assertThat(api.post("/acme-accounts/" + id + "/deactivate", "{\"reason\":\"again\"}")
                            .status())
                    .isEqualTo(409);
            assertThat(gateways.server.server().journal().about("device:ended-1", Long.MAX_VALUE, 10).stream()
                            .filter(e -> e.json().path("kind").asText().equals("acme.account-deactivated"))
                            .map(e -> e.json().path("reason").asText()))
                    .containsExactly("the gateway was sold");
        }
        // Accounts made before may have an id that begins with a dash or a line.
        for (String unknown : List.of("nothing", "-nothing", "_nothing")) {
            assertThat(api.post("/acme-accounts/" + unknown + "/deactivate", "{\"reason\":\"x\"}")
                            .status())
                    .as(unknown)
                    .isEqualTo(404);
        }
    }

    @Test
    void noNewIdBeginsWithWhatACommandLineTakesForAnOption() {
        Ids ids = new Ids(new java.security.SecureRandom());
        for (int i = 0; i < 1_000; i++) {
            assertThat(ids.fresh()).matches("[0-9a-f]{36}");
        }
    }

    /// A backup from before the deactivation is put back, and the journal since then is merged.
    @Test
    void aDeactivationIsRepeatedAfterARestore() throws Exception {
        DeviceRef device = gateways.server.register("restored-1");
        try (AcmeCaller caller = account(device)) {
            String id = api.get("/acme-accounts?device=restored-1")
                    .json()
                    .at("/accounts/0/id")
                    .asText();
            api.post("/acme-accounts/" + id + "/deactivate", "{\"reason\":\"stolen\"}");
            Journal journal = gateways.server.server().journal();
            List<Recorded> since = journal.about("device:restored-1", Long.MAX_VALUE, 10);
            journal.run(tx -> {
                tx.sql().execute("update acme_account set state = 'valid', deactivated_at = null where id = ?", id);
                assertThat(since.stream()
                                .filter(entry -> Accounts.replay(tx, entry))
                                .count())
                        .isEqualTo(1);
            });
            assertThat(caller.post(caller.root + "new-order", order("restored-1"))
                            .body())
                    .contains("the account was deactivated");
        }
    }
}
