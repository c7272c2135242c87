package dev.holdfast.acme;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.core.Serial;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.acme.CertificateId;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.ExtensionsGenerator;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.pkcs.PKCS10CertificationRequestBuilder;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// From an order to its certificate and beyond, by a client of our own: what is granted, and what is not.
class AcmeOrdersTest {
    private static Gateways gateways;

    @BeforeAll
    static void start() {
        gateways = new Gateways();
    }

    @AfterAll
    static void stop() {
        gateways.close();
    }

    private static AcmeCaller account(String device) throws Exception {
        return AcmeCaller.account(gateways.server, Gateways.PROFILE, gateways.server.register(device));
    }

    static byte[] request(String subject, KeyPair key, String... names) throws Exception {
        PKCS10CertificationRequestBuilder builder = new PKCS10CertificationRequestBuilder(
                new X500Name(subject),
                SubjectPublicKeyInfo.getInstance(key.getPublic().getEncoded()));
        if (names.length > 0) {
            ExtensionsGenerator extensions = new ExtensionsGenerator();
            extensions.addExtension(
                    Extension.subjectAlternativeName,
                    false,
                    new GeneralNames(List.of(names).stream()
                            .map(name -> new GeneralName(GeneralName.dNSName, name))
                            .toArray(GeneralName[]::new)));
            builder.addAttribute(PKCSObjectIdentifiers.pkcs_9_at_extensionRequest, extensions.generate());
        }
        return builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(key.getPrivate()))
                .getEncoded();
    }

    static KeyPair key() {
        return Crypto.generateP256(AcmeCaller.RANDOM);
    }

    /// Answers the first challenge of that type in each authorization of the order.
    static void prove(AcmeCaller caller, JsonNode order, String type) throws Exception {
        for (JsonNode url : order.path("authorizations")) {
            JsonNode authorization = caller.asked(url.asText());
            for (JsonNode challenge : authorization.path("challenges")) {
                if (challenge.path("type").asText().equals(type)) {
                    String token = challenge.path("token").asText();
                    String authorized = token + "." + AcmeCaller.thumbprint(caller.key);
                    gateways.say(token, authorized);
                    gateways.names.texts.put(
                            "_acme-challenge."
                                    + authorization
                                            .path("identifier")
                                            .path("value")
                                            .asText(),
                            Set.of(dev.holdfast.protocol.acme.ChallengeType.dnsValue(authorized)));
                    assertThat(caller.post(challenge.path("url").asText(), Map.of())
                                    .statusCode())
                            .isEqualTo(200);
                }
            }
        }
    }

    static JsonNode settled(AcmeCaller caller, String url, String... states) {
        JsonNode[] last = new JsonNode[1];
        TestServer.await(url + " is " + List.of(states), () -> {
            try {
                last[0] = caller.asked(url);
                return List.of(states).contains(last[0].path("status").asText());
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        return last[0];
    }

    /// A whole order; the certificate as it was downloaded.
    private static X509Certificate certificate(AcmeCaller caller, String name, String challenge, Map<String, ?> more)
            throws Exception {
        gateways.names.addresses.put(name, "127.0.0.1");
        HttpResponse<String> created = caller.order(more, "dns:" + name);
        assertThat(created.statusCode()).as(created.body()).isEqualTo(201);
        prove(caller, Json.tree(created.body()), challenge);
        JsonNode order = settled(caller, AcmeCaller.location(created), "ready");
        HttpResponse<String> finished = caller.finish(order, request("", key(), name));
        assertThat(finished.statusCode()).as(finished.body()).isEqualTo(200);
        JsonNode valid = settled(caller, AcmeCaller.location(created), "valid");
        return Certificates.parsePem(
                        caller.ask(valid.path("certificate").asText()).body())
                .getFirst();
    }

    private static void assertProblem(HttpResponse<String> answer, int status, String type) throws Exception {
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(Json.tree(answer.body()).path("type").asText())
                .as(answer.body())
                .isEqualTo("urn:ietf:params:acme:error:" + type);
        assertThat(answer.headers().firstValue("content-type")).contains("application/problem+json");
        assertThat(answer.headers().firstValue("replay-nonce")).isPresent();
    }

    @Test
    void aGatewayGetsACertificateForItsNameByHttp01() throws Exception {
        try (AcmeCaller caller = account("gw-http")) {
            X509Certificate certificate = certificate(caller, "http.gw.example.test", "http-01", Map.of());
            assertThat(certificate.getSubjectX500Principal().getName()).isEqualTo("CN=http.gw.example.test");
            assertThat(certificate.getSubjectAlternativeNames().toString())
                    .contains("http.gw.example.test", "urn:holdfast:device:development:gw-http");
            assertThat(certificate.getExtendedKeyUsage()).contains("1.3.6.1.5.5.7.3.1");
            IssuedCertificate known = gateways.server
                    .server()
                    .identity()
                    .certificate(Serial.of(certificate.getSerialNumber()))
                    .orElseThrow();
            assertThat(known.device()).contains(TestServer.device("gw-http"));
            assertThat(known.profile()).isEqualTo(Gateways.PROFILE);
            assertThat(known.grantedBy()).isEqualTo("account");
        }
    }

    @Test
    void aGatewayGetsACertificateForItsNameByDns01() throws Exception {
        try (AcmeCaller caller = account("gw-dns")) {
            assertThat(certificate(caller, "dns.gw.example.test", "dns-01", Map.of()))
                    .isNotNull();
        }
    }

    @Test
    void aDeviceGetsACertificateForItsOwnIdByTheBindingOfItsAccountAlone() throws Exception {
        try (AcmeCaller caller = account("own-1")) {
            HttpResponse<String> created = caller.order("permanent-identifier:own-1");
            JsonNode order = Json.tree(created.body());
            assertThat(order.path("status").asText()).as(created.body()).isEqualTo("ready");
            HttpResponse<String> finished = caller.finish(order, CertificationRequest.create("own-1", key()));
            JsonNode valid = Json.tree(finished.body());
            assertThat(valid.path("status").asText()).as(finished.body()).isEqualTo("valid");
            HttpResponse<String> chain = caller.ask(valid.path("certificate").asText());
            assertThat(Certificates.parsePem(chain.body())).hasSize(2);
            assertThat(Certificates.commonName(
                            Certificates.parsePem(chain.body()).getFirst()))
                    .contains("own-1");
            String alternate = chain.headers().allValues("link").stream()
                    .filter(link -> link.contains("rel=\"alternate\""))
                    .map(link -> link.substring(1, link.indexOf('>')))
                    .findFirst()
                    .orElseThrow();
            assertThat(Certificates.parsePem(caller.ask(alternate).body())).hasSize(3);
            assertThat(caller.asked(caller.root + "orders/" + caller.kid.substring(caller.kid.lastIndexOf('/') + 1))
                            .path("orders"))
                    .hasSize(1);
        }
    }

    @Test
    void refusesNamesThatThePatternDoesNotAllowWildcardsAndOtherDevicesIds() throws Exception {
        try (AcmeCaller caller = account("names-1")) {
            gateways.server.register("names-2");
            for (String identifier : List.of(
                    "dns:www.example.test",
                    "dns:a.b.gw.example.test",
                    "dns:gw.example.test",
                    "dns:*.gw.example.test",
                    "dns:10.0.0.1",
                    "dns:localhost",
                    "dns:x_y.gw.example.test",
                    "dns:xn--.\u0430.gw.example.test",
                    "permanent-identifier:names-2",
                    "permanent-identifier:nobody")) {
                assertProblem(caller.order(identifier), 400, "rejectedIdentifier");
            }
            assertProblem(caller.order("ip:10.0.0.1"), 400, "unsupportedIdentifier");
            assertProblem(caller.order(), 400, "malformed");
            assertProblem(caller.order("dns:a.gw.example.test", "dns:A.gw.example.test"), 400, "malformed");
            assertProblem(
                    caller.order(Map.of("notAfter", "2030-01-01T00:00:00Z"), "dns:a.gw.example.test"),
                    400,
                    "malformed");
        }
    }

    @Test
    void aWrongAnswerMakesChallengeAuthorizationAndOrderInvalidAndSaysWhy() throws Exception {
        try (AcmeCaller caller = account("wrong-1")) {
            gateways.names.addresses.put("wrong.gw.example.test", "127.0.0.1");
            HttpResponse<String> created = caller.order("dns:wrong.gw.example.test");
            JsonNode authorization = caller.asked(
                    Json.tree(created.body()).path("authorizations").path(0).asText());
            List<JsonNode> challenges = new ArrayList<>();
            authorization.path("challenges").forEach(challenges::add);
            JsonNode challenge = challenges.stream()
                    .filter(one -> one.path("type").asText().equals("http-01"))
                    .findFirst()
                    .orElseThrow();
            gateways.say(
                    challenge.path("token").asText(), challenge.path("token").asText() + ".somebody-else");
            caller.post(challenge.path("url").asText(), Map.of());
            JsonNode order = settled(caller, AcmeCaller.location(created), "invalid");
            assertThat(order.path("error").path("type").asText()).endsWith(":unauthorized");
            JsonNode failed = caller.asked(challenge.path("url").asText());
            assertThat(failed.path("status").asText()).isEqualTo("invalid");
            assertThat(failed.path("error").path("detail").asText()).contains("something else");
            assertProblem(caller.finish(order, request("", key(), "wrong.gw.example.test")), 403, "orderNotReady");
        }
    }

    @Test
    void http01FollowsNoRedirectAndConnectsOnlyWhereItMay() throws Exception {
        try (AcmeCaller caller = account("ssrf-1")) {
            gateways.names.addresses.put("moved.gw.example.test", "127.0.0.1");
            HttpResponse<String> created = caller.order("dns:moved.gw.example.test");
            JsonNode authorization = caller.asked(
                    Json.tree(created.body()).path("authorizations").path(0).asText());
            for (JsonNode one : authorization.path("challenges")) {
                if (one.path("type").asText().equals("http-01")) {
                    gateways.say(one.path("token").asText(), "-> http://127.0.0.1/elsewhere");
                    caller.post(one.path("url").asText(), Map.of());
                }
            }
            JsonNode order = settled(caller, AcmeCaller.location(created), "invalid");
            assertThat(order.path("error").path("detail").asText()).contains("redirect");

            for (String address : List.of("169.254.169.254", "10.1.2.3", "224.0.0.1", "0.0.0.0")) {
                gateways.names.addresses.put("inside.gw.example.test", address);
                HttpResponse<String> inside = caller.order("dns:inside.gw.example.test");
                prove(caller, Json.tree(inside.body()), "http-01");
                JsonNode refused = settled(caller, AcmeCaller.location(inside), "invalid");
                assertThat(refused.path("error").path("type").asText()).endsWith(":connection");
            }
        }
    }

    @Test
    void refusesARequestWhoseNamesAreNotTheOrdersOrWhoseKeyIsTheAccounts() throws Exception {
        try (AcmeCaller caller = account("csr-1")) {
            gateways.names.addresses.put("csr.gw.example.test", "127.0.0.1");
            HttpResponse<String> created = caller.order("dns:csr.gw.example.test");
            prove(caller, Json.tree(created.body()), "http-01");
            JsonNode order = settled(caller, AcmeCaller.location(created), "ready");
            KeyPair key = key();
            assertProblem(caller.finish(order, request("", key, "other.gw.example.test")), 400, "badCSR");
            assertProblem(
                    caller.finish(order, request("", key, "csr.gw.example.test", "other.gw.example.test")),
                    400,
                    "badCSR");
            assertProblem(caller.finish(order, request("CN=csr-1", key)), 400, "badCSR");
            assertProblem(
                    caller.finish(order, request("CN=www.example.org", key, "csr.gw.example.test")), 400, "badCSR");
            assertProblem(
                    caller.finish(order, request("O=Evil,CN=csr.gw.example.test", key, "csr.gw.example.test")),
                    400,
                    "badCSR");
            assertProblem(caller.finish(order, request("", caller.key, "csr.gw.example.test")), 400, "badCSR");
            byte[] broken = request("", key, "csr.gw.example.test");
            broken[broken.length - 3] ^= 1;
            assertProblem(caller.finish(order, broken), 400, "badCSR");
            assertThat(caller.asked(AcmeCaller.location(created)).path("status").asText())
                    .isEqualTo("ready");
            assertThat(caller.finish(order, request("CN=csr.gw.example.test", key, "csr.gw.example.test"))
                            .statusCode())
                    .isEqualTo(200);
        }
    }

    @Test
    void aKeyOfAnotherDeviceIsRefusedByThePolicyAndTheOrderSaysSo() throws Exception {
        KeyPair shared = key();
        try (AcmeCaller first = account("shared-1");
                AcmeCaller second = account("shared-2")) {
            JsonNode one =
                    Json.tree(first.order("permanent-identifier:shared-1").body());
            assertThat(first.finish(one, CertificationRequest.create("shared-1", shared))
                            .statusCode())
                    .isEqualTo(200);
            HttpResponse<String> created = second.order("permanent-identifier:shared-2");
            HttpResponse<String> refused =
                    second.finish(Json.tree(created.body()), CertificationRequest.create("shared-2", shared));
            assertProblem(refused, 400, "badCSR");
            assertThat(refused.body()).contains("key-already-bound-to-another-device");
            assertThat(second.asked(AcmeCaller.location(created)).path("status").asText())
                    .isEqualTo("invalid");
        }
    }

    @Test
    void anOrderWaitsWhileAPersonDecidesAndGoesOnWhenTheyHave() throws Exception {
        CertificateProfile usual = Gateways.profile("watched", CertificateProfile.Attestation.NONE);
        gateways.server
                .server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        new CertificateProfile(
                                "watched",
                                usual.usages(),
                                usual.keys(),
                                usual.validity(),
                                usual.rotation(),
                                new CertificateProfile.Admittance(
                                        usual.admittance().credentials(),
                                        true,
                                        false,
                                        CertificateProfile.Attestation.NONE,
                                        List.of())),
                        "for tests",
                        TestServer.TESTER);
        DeviceRef device = gateways.server.register("watched-1");
        try (AcmeCaller caller = AcmeCaller.account(gateways.server, "watched", device)) {
            HttpResponse<String> created = caller.order("permanent-identifier:watched-1");
            HttpResponse<String> finished =
                    caller.finish(Json.tree(created.body()), CertificationRequest.create("watched-1", key()));
            assertThat(Json.tree(finished.body()).path("status").asText()).isEqualTo("processing");
            assertThat(finished.headers().firstValue("retry-after")).isPresent();
            var held = gateways.server.server().identity().held();
            var waiting = held.list(TestServer.ENVIRONMENT, Optional.empty(), 10).stream()
                    .filter(h -> h.device().equals("watched-1"))
                    .findFirst()
                    .orElseThrow();
            held.decide(TestServer.ENVIRONMENT, waiting.id(), true, "I know it", TestServer.TESTER);
            JsonNode valid = settled(caller, AcmeCaller.location(created), "valid");
            assertThat(valid.path("certificate").asText()).contains("/certificate/");
        }
    }

    @Test
    void renewalInformationSaysWhenAndAnOrderMayReplaceACertificateOnce() throws Exception {
        try (AcmeCaller caller = account("ari-1");
                AcmeCaller other = account("ari-2")) {
            X509Certificate first = certificate(caller, "ari.gw.example.test", "http-01", Map.of());
            String id = CertificateId.of(first).text();
            HttpResponse<String> info = caller.get(caller.root + "renewal-info/" + id);
            assertThat(info.statusCode()).as(info.body()).isEqualTo(200);
            assertThat(info.headers().firstValue("retry-after")).isPresent();
            JsonNode window = Json.tree(info.body()).path("suggestedWindow");
            Instant start = Instant.parse(window.path("start").asText());
            Instant end = Instant.parse(window.path("end").asText());
            assertThat(start).isAfter(Instant.now()).isBefore(end);
            assertThat(end).isBefore(first.getNotAfter().toInstant());
            assertThat(caller.get(caller.root + "renewal-info/AAAA.AQ").statusCode())
                    .isEqualTo(404);
            assertThat(caller.get(caller.root + "renewal-info/nonsense").statusCode())
                    .isEqualTo(400);

            assertProblem(other.order(Map.of("replaces", id), "dns:ari.gw.example.test"), 400, "malformed");
            assertThat(certificate(caller, "ari.gw.example.test", "http-01", Map.of("replaces", id)))
                    .isNotEqualTo(first);
            assertProblem(caller.order(Map.of("replaces", id), "dns:ari.gw.example.test"), 409, "alreadyReplaced");
        }
    }

    @Test
    void aRevokedCertificateIsToBeRenewedAtOnce() throws Exception {
        try (AcmeCaller caller = account("ari-3")) {
            X509Certificate first = certificate(caller, "ari3.gw.example.test", "http-01", Map.of());
            HttpResponse<String> revoked = caller.post(
                    caller.root + "revoke-cert",
                    Map.of("certificate", AcmeCaller.encode(first.getEncoded()), "reason", 4));
            assertThat(revoked.statusCode()).as(revoked.body()).isEqualTo(200);
            JsonNode window = Json.tree(caller.get(caller.root + "renewal-info/"
                                    + CertificateId.of(first).text())
                            .body())
                    .path("suggestedWindow");
            assertThat(Instant.parse(window.path("end").asText())).isBefore(Instant.now());
        }
    }
}
