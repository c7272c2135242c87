package dev.holdfast.est;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.est.EstCaller.Caller;
import dev.holdfast.journal.Recorded;
import dev.holdfast.protocol.est.CsrAttributes;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyPair;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.asn1.ASN1Sequence;
import org.bouncycastle.asn1.pkcs.Attribute;
import org.bouncycastle.asn1.sec.SECObjectIdentifiers;
import org.bouncycastle.asn1.x9.X9ObjectIdentifiers;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Guessing costs the guesser, not the device whose name he uses; and what was refused is on record.
class EnrolmentGuessingTest {
    private static TestServer server;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static byte[] request(String subject, KeyPair key) {
        return CertificationRequest.create(subject, key);
    }

    private static KeyPair key() {
        return Crypto.generateP256(EstCaller.RANDOM);
    }

    private static List<Recorded> refusals(String subject) {
        return server.server().journal().about(subject, Long.MAX_VALUE, 100).stream()
                .filter(entry -> entry.json().path("kind").asText().equals("enrolment.refused"))
                .toList();
    }

    @Test
    void aGuesserIsSlowedDownAndTheDeviceItselfIsNot() throws Exception {
        DeviceRef device = server.register("guess-1");
        byte[] request = request("guess-1", key());
        int last = 0;
        int tries = 0;
        for (; tries < 12 && last != 429; tries++) {
            last = EstCaller.enrolFrom("127.0.0.66", server, request, "guess-1:hfe_" + tries)
                    .statusCode();
        }
        assertThat(last).isEqualTo(429);
        assertThat(EstCaller.enrolFrom("127.0.0.66", server, request, server.credential(device))
                        .statusCode())
                .as("not even with the right token: nothing tells him that it is")
                .isEqualTo(429);
        assertThat(EstCaller.enrolFrom("127.0.0.7", server, request, server.credential(device))
                        .statusCode())
                .as("the device, from where it is")
                .isEqualTo(200);
        assertThat(refusals("device:guess-1"))
                .as("ten guesses are one entry")
                .hasSize(1)
                .first()
                .satisfies(entry -> {
                    assertThat(entry.json().path("body").path("refusal").asText())
                            .isEqualTo("token-wrong");
                    assertThat(entry.json().path("body").path("credential").asText())
                            .isEqualTo("token");
                });
    }

    @Test
    void guessedNamesShareOneEntry() throws Exception {
        for (int i = 0; i < 20; i++) {
            EstCaller.enrolFrom("127.0.0.67", server, request("", key()), "nobody-" + i + ":hfe_x");
        }
        assertThat(refusals("enrolment:unknown")).hasSize(1);
    }

    @Test
    void whoHasAGoodCertificateAndAsksForTooMuchIsOnRecordWithTheReason() throws Exception {
        DeviceRef device = server.register("greedy-1");
        KeyPair key = key();
        var leaf = EstCaller.certificate(EstCaller.enrol(server, request("greedy-1", key), server.credential(device)));
        Caller caller = new Caller(key.getPrivate(), List.of(leaf));
        assertThat(EstCaller.renew(server, request("somebody-else", key()), caller)
                        .statusCode())
                .isEqualTo(403);
        assertThat(refusals("device:greedy-1")).singleElement().satisfies(entry -> {
            assertThat(entry.json().path("body").path("refusal").asText()).isEqualTo("subject-is-not-the-device");
            assertThat(entry.json().path("body").path("credential").asText()).isEqualTo("certificate");
            assertThat(entry.json().path("reason").asText()).contains("greedy-1");
        });
        int last = 0;
        for (int i = 0; i < 12 && last != 429; i++) {
            last = EstCaller.renew(server, request("somebody-else", key()), caller)
                    .statusCode();
        }
        assertThat(last).as("its own key is slowed down").isEqualTo(429);
    }

    /// RFC 7030 section 4.5.2: the attribute that names the kind of key, as openssl and libest read it.
    @Test
    void csrAttributesNameTheKeyThatIsWanted() throws Exception {
        try (HttpClient client = EstCaller.client(server, Optional.empty())) {
            HttpResponse<String> answer = client.send(
                    HttpRequest.newBuilder(URI.create(
                                    "https://localhost:" + server.server().devicePort() + "/.well-known/est/csrattrs"))
                            .build(),
                    HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(200);
            assertThat(answer.headers().firstValue("content-type")).contains("application/csrattrs");
            ASN1Sequence attributes =
                    ASN1Sequence.getInstance(Base64.getMimeDecoder().decode(answer.body()));
            List<Attribute> keys = new java.util.ArrayList<>();
            List<ASN1ObjectIdentifier> names = new java.util.ArrayList<>();
            attributes.forEach(one -> {
                if (one instanceof ASN1ObjectIdentifier name) {
                    names.add(name);
                } else if (!Attribute.getInstance(one).getAttrType().equals(CsrAttributes.TEMPLATE)) {
                    keys.add(Attribute.getInstance(one));
                }
            });
            assertThat(keys).singleElement().satisfies(attribute -> {
                assertThat(attribute.getAttrType()).isEqualTo(X9ObjectIdentifiers.id_ecPublicKey);
                assertThat(attribute.getAttrValues().getObjectAt(0)).isEqualTo(SECObjectIdentifiers.secp256r1);
            });
            assertThat(names).contains(X9ObjectIdentifiers.ecdsa_with_SHA256);
        }
    }
}
