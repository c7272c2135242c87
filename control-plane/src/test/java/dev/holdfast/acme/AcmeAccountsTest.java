package dev.holdfast.acme;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Who may have an account, and what messages are believed: by a client of our own that also cheats.
class AcmeAccountsTest {
    private static Gateways gateways;

    @BeforeAll
    static void start() {
        gateways = new Gateways();
        gateways.server
                .server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        Gateways.profile("other", CertificateProfile.Attestation.NONE),
                        "for tests",
                        TestServer.TESTER);
    }

    @AfterAll
    static void stop() {
        gateways.close();
    }

    private static AcmeCaller account(String device) throws Exception {
        return AcmeCaller.account(gateways.server, Gateways.PROFILE, gateways.server.register(device));
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String type) throws Exception {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(Json.tree(answer.body()).path("type").asText())
                .as(answer.body())
                .isEqualTo("urn:ietf:params:acme:error:" + type);
    }

    @Test
    void theDirectoryNamesEveryResourceByConfiguredUrlsAndWantsABinding() throws Exception {
        try (AcmeCaller caller = new AcmeCaller(gateways.server, Gateways.PROFILE)) {
            JsonNode directory = Json.tree(caller.get(caller.root + "directory").body());
            for (String field :
                    List.of("newNonce", "newAccount", "newOrder", "revokeCert", "keyChange", "renewalInfo")) {
                assertThat(directory.path(field).asText()).startsWith(caller.root);
            }
            assertThat(directory.path("meta").path("externalAccountRequired").asBoolean())
                    .isTrue();
            HttpResponse<String> nonce = caller.get(caller.root + "new-nonce");
            assertThat(nonce.statusCode()).isEqualTo(204);
            assertThat(nonce.headers().firstValue("cache-control")).contains("no-store");
            assertThat(nonce.headers().firstValue("link").orElseThrow()).contains("rel=\"index\"");
            assertThat(caller.get(caller.root.replace("/gateway/", "/nowhere/") + "directory")
                            .statusCode())
                    .isEqualTo(404);
            assertThat(caller.get(caller.root + "new-order").statusCode()).isEqualTo(405);
        }
    }

    @Test
    void anAccountNeedsABindingWithASecretOfItsDevice() throws Exception {
        DeviceRef device = gateways.server.register("bind-1");
        SharedSecrets.Issued.Secret secret = AcmeCaller.secret(gateways.server, device);
        try (AcmeCaller caller = new AcmeCaller(gateways.server, Gateways.PROFILE)) {
            String url = caller.root + "new-account";
            assertProblem(caller.post(url, Map.of()), 403, "externalAccountRequired");
            assertProblem(caller.post(url, Map.of("onlyReturnExisting", true)), 400, "accountDoesNotExist");
            assertProblem(caller.open(secret.id(), AcmeCaller.encode(new byte[32])), 403, "unauthorized");
            assertProblem(caller.open("hfsnobody", secret.secret()), 403, "unauthorized");
            Map<String, Object> elsewhere = AcmeCaller.binding(
                    secret.id(), secret.secret(), caller.root + "new-order", AcmeCaller.jwk(caller.key));
            assertProblem(caller.post(url, Map.of("externalAccountBinding", elsewhere)), 400, "malformed");
            Map<String, Object> anotherKey =
                    AcmeCaller.binding(secret.id(), secret.secret(), url, AcmeCaller.jwk(AcmeOrdersTest.key()));
            assertProblem(caller.post(url, Map.of("externalAccountBinding", anotherKey)), 400, "malformed");

            assertThat(caller.open(secret.id(), secret.secret()).statusCode()).isEqualTo(201);
            assertThat(gateways.server
                            .server()
                            .identity()
                            .secrets()
                            .find(secret.id())
                            .orElseThrow()
                            .usedBy())
                    .isPresent();
            assertThat(gateways.server.server().journal().about("device:bind-1", Long.MAX_VALUE, 10).stream()
                            .map(entry -> entry.json().path("kind").asText()))
                    .contains("acme.account-created");
        }
        try (AcmeCaller again = new AcmeCaller(gateways.server, Gateways.PROFILE)) {
            assertProblem(again.open(secret.id(), secret.secret()), 403, "unauthorized");
        }
    }

    @Test
    void theSameKeyFindsItsAccountAgainAndNotInAnotherDirectory() throws Exception {
        try (AcmeCaller caller = account("same-1");
                AcmeCaller elsewhere = new AcmeCaller(gateways.server, "other")) {
            String kid = caller.kid;
            caller.kid = "";
            HttpResponse<String> found = caller.post(caller.root + "new-account", Map.of("onlyReturnExisting", true));
            assertThat(found.statusCode()).isEqualTo(200);
            assertThat(AcmeCaller.location(found)).isEqualTo(kid);

            elsewhere.key = caller.key;
            assertProblem(
                    elsewhere.post(elsewhere.root + "new-account", Map.of("onlyReturnExisting", true)),
                    400,
                    "accountDoesNotExist");
            elsewhere.kid = kid;
            assertProblem(elsewhere.order("permanent-identifier:same-1"), 403, "unauthorized");
            elsewhere.kid = kid.replace("/gateway/", "/other/");
            assertProblem(elsewhere.order("permanent-identifier:same-1"), 403, "unauthorized");
        }
    }

    @Test
    void aNonceIsGoodOnceAndOnEveryNode() throws Exception {
        try (AcmeCaller caller = account("nonce-1");
                TestServer second = gateways.server.secondNode(gateways.settings())) {
            Map<String, Object> header = caller.header(caller.kid);
            Map<String, Object> message = AcmeCaller.signed(header, new byte[0], caller.key);
            assertThat(caller.send(caller.kid, message).statusCode()).isEqualTo(200);
            HttpResponse<String> replayed = caller.send(caller.kid, message);
            assertProblem(replayed, 400, "badNonce");
            assertThat(replayed.headers().firstValue("replay-nonce")).isPresent();

            // Node two signs and forgets nothing of its own: a nonce of node one is good there, once.
            try (AcmeCaller there = new AcmeCaller(second, Gateways.PROFILE)) {
                there.key = caller.key;
                there.kid = there.root + caller.kid.substring(caller.root.length());
                Map<String, Object> crossing = there.header(there.kid);
                crossing.put("nonce", caller.nonce());
                Map<String, Object> crossed = AcmeCaller.signed(crossing, new byte[0], caller.key);
                assertThat(there.send(there.kid, crossed).statusCode()).isEqualTo(200);
                Map<String, Object> back = caller.header(caller.kid);
                back.put("nonce", crossing.get("nonce"));
                assertProblem(
                        caller.send(caller.kid, AcmeCaller.signed(back, new byte[0], caller.key)), 400, "badNonce");
            }
            Map<String, Object> invented = caller.header(caller.kid);
            invented.put("nonce", AcmeCaller.encode(new byte[32]));
            assertProblem(
                    caller.send(caller.kid, AcmeCaller.signed(invented, new byte[0], caller.key)), 400, "badNonce");
        }
    }

    @Test
    void messagesThatAreNotAsTheyShouldBeAreRefusedBeforeAnythingIsDone() throws Exception {
        try (AcmeCaller caller = account("form-1")) {
            String url = caller.root + "new-order";
            byte[] payload = Json.bytes(
                    Map.of("identifiers", List.of(Map.of("type", "permanent-identifier", "value", "form-1"))));

            Map<String, Object> otherUrl = caller.header(caller.root + "key-change");
            assertProblem(caller.send(url, AcmeCaller.signed(otherUrl, payload, caller.key)), 403, "unauthorized");
            assertProblem(
                    caller.send(url, AcmeCaller.signed(caller.header(url), payload, AcmeOrdersTest.key())),
                    400,
                    "malformed");
            Map<String, Object> both = caller.header(url);
            both.put("jwk", AcmeCaller.jwk(caller.key));
            assertProblem(caller.send(url, AcmeCaller.signed(both, payload, caller.key)), 400, "malformed");
            for (String algorithm : List.of("none", "HS256", "RS512", "ES384")) {
                Map<String, Object> header = caller.header(url);
                header.put("alg", algorithm);
                assertProblem(
                        caller.send(url, AcmeCaller.signed(header, payload, caller.key)), 400, "badSignatureAlgorithm");
            }
            Map<String, Object> critical = caller.header(url);
            critical.put("crit", List.of("b64"));
            critical.put("b64", false);
            assertProblem(caller.send(url, AcmeCaller.signed(critical, payload, caller.key)), 400, "malformed");
            Map<String, Object> withoutNonce = caller.header(url);
            withoutNonce.remove("nonce");
            assertProblem(caller.send(url, AcmeCaller.signed(withoutNonce, payload, caller.key)), 400, "badNonce");
            Map<String, Object> unprotected =
                    new LinkedHashMap<>(AcmeCaller.signed(caller.header(url), payload, caller.key));
            unprotected.put("header", Map.of("kid", caller.kid));
            assertProblem(caller.send(url, unprotected), 400, "malformed");
            Map<String, Object> good = AcmeCaller.signed(caller.header(url), payload, caller.key);
            assertThat(caller.send(url, Json.bytes(good), "application/json").statusCode())
                    .isEqualTo(415);
            String twice = Json.text(good).replaceFirst("\\{", "{\"payload\":\"\",");
            assertProblem(
                    caller.send(url, twice.getBytes(StandardCharsets.UTF_8), "application/jose+json"),
                    400,
                    "malformed");
            assertThat(caller.send(url, new byte[70_000], "application/jose+json")
                            .statusCode())
                    .isEqualTo(413);
            Map<String, Object> nobody = caller.header(url);
            nobody.put("kid", caller.root + "account/nobody");
            assertProblem(caller.send(url, AcmeCaller.signed(nobody, payload, caller.key)), 400, "accountDoesNotExist");
            assertThat(caller.asked(caller.kid.replace("/account/", "/orders/")).path("orders"))
                    .isEmpty();
        }
    }

    @Test
    void weakAndPrivateKeysGetNoAccount() throws Exception {
        try (AcmeCaller caller = new AcmeCaller(gateways.server, Gateways.PROFILE)) {
            String url = caller.root + "new-account";
            Map<String, Object> privately = caller.header(url);
            Map<String, Object> jwk = AcmeCaller.jwk(caller.key);
            jwk.put("d", AcmeCaller.encode(new byte[32]));
            privately.put("jwk", jwk);
            assertProblem(caller.send(url, AcmeCaller.signed(privately, new byte[0], caller.key)), 400, "badPublicKey");
            Map<String, Object> offCurve = caller.header(url);
            Map<String, Object> moved = AcmeCaller.jwk(caller.key);
            moved.put("y", AcmeCaller.encode(new byte[32]));
            offCurve.put("jwk", moved);
            assertProblem(caller.send(url, AcmeCaller.signed(offCurve, new byte[0], caller.key)), 400, "badPublicKey");
        }
    }

    @Test
    void nobodySeesOrFinishesAnotherAccountsOrder() throws Exception {
        try (AcmeCaller owner = account("foreign-1");
                AcmeCaller stranger = account("foreign-2")) {
            HttpResponse<String> created = owner.order("permanent-identifier:foreign-1");
            JsonNode order = Json.tree(created.body());
            assertProblem(stranger.ask(AcmeCaller.location(created)), 400, "malformed");
            assertProblem(stranger.ask(order.path("authorizations").path(0).asText()), 400, "malformed");
            assertProblem(
                    stranger.finish(order, CertificationRequest.create("foreign-2", AcmeOrdersTest.key())),
                    400,
                    "malformed");
            assertProblem(stranger.ask(owner.kid), 403, "unauthorized");
            assertProblem(stranger.post(owner.kid, Map.of("status", "deactivated")), 403, "unauthorized");
            JsonNode valid =
                    Json.tree(owner.finish(order, CertificationRequest.create("foreign-1", AcmeOrdersTest.key()))
                            .body());
            String url = valid.path("certificate").asText();
            assertProblem(stranger.ask(url), 400, "malformed");
            X509Certificate certificate =
                    Certificates.parsePem(owner.ask(url).body()).getFirst();
            assertProblem(
                    stranger.post(
                            stranger.root + "revoke-cert",
                            Map.of("certificate", AcmeCaller.encode(certificate.getEncoded()))),
                    403,
                    "unauthorized");
        }
    }

    @Test
    void aDeviceThatMemoryHasNotHeardOfIsLookedUp() throws Exception {
        DeviceRef heard = gateways.server.register("heard-1");
        DeviceRef unheard = new DeviceRef(heard.environment(), new DeviceId("unheard-1"));
        try (Database database = Database.open(gateways.server.database(), 2)) {
            // As when the news of another node's registration has not come yet: beside the journal.
            database.run(sql -> sql.execute(
                    "insert into device select (jsonb_populate_record(d, jsonb_build_object('id', ?::text))).*"
                            + " from device d where environment = ? and id = ?",
                    unheard.id().value(),
                    heard.environment().value(),
                    heard.id().value()));
        }
        assertThat(gateways.server.server().inventory().directory().find(unheard))
                .isEmpty();
        try (AcmeCaller caller = AcmeCaller.account(gateways.server, Gateways.PROFILE, unheard)) {
            HttpResponse<String> order = caller.order("permanent-identifier:unheard-1");
            assertThat(order.statusCode()).as(order.body()).isEqualTo(201);
        }
    }

    @Test
    void aCertificateIsRevokedByItsAccountOrItsKeyOnceAndForAReasonThatMayBeGiven() throws Exception {
        try (AcmeCaller caller = account("revoke-1");
                AcmeCaller byKey = new AcmeCaller(gateways.server, Gateways.PROFILE)) {
            KeyPair key = AcmeOrdersTest.key();
            JsonNode order =
                    Json.tree(caller.order("permanent-identifier:revoke-1").body());
            JsonNode valid = Json.tree(caller.finish(order, CertificationRequest.create("revoke-1", key))
                    .body());
            X509Certificate certificate = Certificates.parsePem(
                            caller.ask(valid.path("certificate").asText()).body())
                    .getFirst();
            String url = caller.root + "revoke-cert";
            String encoded = AcmeCaller.encode(certificate.getEncoded());
            assertProblem(byKey.post(url, Map.of("certificate", encoded)), 403, "unauthorized");
            byKey.key = key;
            assertProblem(byKey.post(url, Map.of("certificate", encoded, "reason", 6)), 400, "badRevocationReason");
            assertThat(byKey.post(url, Map.of("certificate", encoded, "reason", 1))
                            .statusCode())
                    .isEqualTo(200);
            assertProblem(caller.post(url, Map.of("certificate", encoded)), 400, "alreadyRevoked");
            var known = gateways.server
                    .server()
                    .identity()
                    .certificate(Serial.of(certificate.getSerialNumber()))
                    .orElseThrow();
            assertThat(known.state()).isEqualTo(CertificateState.REVOKED);
            assertThat(known.reason().orElseThrow().text()).isEqualTo("key-compromise");
        }
    }

    @Test
    void anAccountsKeyIsChangedByBothKeysTogether() throws Exception {
        try (AcmeCaller caller = account("key-1");
                AcmeCaller other = account("key-2")) {
            String url = caller.root + "key-change";
            KeyPair fresh = AcmeOrdersTest.key();
            Map<String, Object> change = Map.of("account", caller.kid, "oldKey", AcmeCaller.jwk(caller.key));
            Map<String, Object> inner =
                    new LinkedHashMap<>(Map.of("alg", "ES256", "url", url, "jwk", AcmeCaller.jwk(fresh)));
            assertProblem(caller.post(url, AcmeCaller.signed(inner, Json.bytes(change), caller.key)), 400, "malformed");
            assertProblem(
                    caller.post(
                            url,
                            AcmeCaller.signed(
                                    inner,
                                    Json.bytes(Map.of("account", other.kid, "oldKey", AcmeCaller.jwk(caller.key))),
                                    fresh)),
                    400,
                    "malformed");
            Map<String, Object> taken =
                    new LinkedHashMap<>(Map.of("alg", "ES256", "url", url, "jwk", AcmeCaller.jwk(other.key)));
            HttpResponse<String> conflict = caller.post(url, AcmeCaller.signed(taken, Json.bytes(change), other.key));
            assertThat(conflict.statusCode()).isEqualTo(409);
            assertThat(AcmeCaller.location(conflict)).isEqualTo(other.kid);

            assertThat(caller.post(url, AcmeCaller.signed(inner, Json.bytes(change), fresh))
                            .statusCode())
                    .isEqualTo(200);
            assertProblem(caller.ask(caller.kid), 400, "malformed");
            caller.key = fresh;
            assertThat(caller.ask(caller.kid).statusCode()).isEqualTo(200);
        }
    }

    @Test
    void aDeactivatedAccountAndOneOfADeviceOutOfServiceAreRefused() throws Exception {
        try (AcmeCaller caller = account("gone-1");
                AcmeCaller suspended = account("gone-2")) {
            HttpResponse<String> answer = caller.post(caller.kid, Map.of("status", "deactivated"));
            assertThat(Json.tree(answer.body()).path("status").asText()).isEqualTo("deactivated");
            assertProblem(caller.order("permanent-identifier:gone-1"), 403, "unauthorized");
            caller.kid = "";
            assertProblem(
                    caller.post(caller.root + "new-account", Map.of("onlyReturnExisting", true)), 403, "unauthorized");

            DeviceRef device = TestServer.device("gone-2");
            JsonNode order =
                    Json.tree(suspended.order("permanent-identifier:gone-2").body());
            gateways.server.server().identity().suspend(device, "in doubt", Optional.empty(), TestServer.TESTER);
            TestServer.await("the suspension is in memory", () -> {
                try {
                    return suspended.ask(suspended.kid).statusCode() == 403;
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            });
            assertProblem(
                    suspended.finish(order, CertificationRequest.create("gone-2", AcmeOrdersTest.key())),
                    403,
                    "unauthorized");
            DeviceRef retired = gateways.server.register("gone-3");
            SharedSecrets.Issued.Secret secret = AcmeCaller.secret(gateways.server, retired);
            gateways.server.server().identity().retire(retired, "scrapped", TestServer.TESTER);
            try (AcmeCaller late = new AcmeCaller(gateways.server, Gateways.PROFILE)) {
                assertProblem(late.open(secret.id(), secret.secret()), 403, "unauthorized");
            }
        }
    }

    @Test
    void theJournalHasEveryStepAndVerifies() {
        assertThat(gateways.server.server().journal().verify()).isEmpty();
    }
}
