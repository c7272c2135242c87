package dev.holdfast.revocation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.ListName;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.database.Database;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import java.io.ByteArrayInputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509CRL;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Revocation as openssl sees it, by the recipe: OCSP, the list of a part, the delta to it, holds and their
/// end.
class RevocationClientsTest {
    private static TestServer server;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() {
        server = TestServer.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private RealClient.Result run(EnrolledDevice device, String... blocks) throws Exception {
        Files.writeString(
                folder.resolve(device.ref().id() + ".pem"),
                Certificates.pem(device.chain().getFirst()));
        String commands = Recipe.read(
                        Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/recipes/check-revocation.md"))
                .only(blocks)
                .blocks()
                .stream()
                .map(Recipe.Block::commands)
                .reduce("set -eu\n", String::concat);
        return RealClient.of("bash", "-c", commands)
                .in(folder)
                .with(Map.of(
                        "CERT",
                        device.ref().id() + ".pem",
                        "ROOT",
                        server.rootPem().toString()))
                .run();
    }

    private String said(EnrolledDevice device, String... blocks) throws Exception {
        RealClient.Result result = run(device, blocks);
        return result.text() + result.errors();
    }

    private static String pki(String path) {
        return "http://localhost:" + server.server().pkiPort() + path;
    }

    private static HttpResponse<byte[]> get(String url) throws Exception {
        try (HttpClient client = HttpClient.newHttpClient()) {
            return client.send(
                    HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofByteArray());
        }
    }

    private static X509CRL list(ListName name) throws Exception {
        HttpResponse<byte[]> answer = get(pki("/crl/" + name.file()));
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("content-type")).contains("application/pkix-crl");
        assertThat(answer.headers().firstValue("etag")).isPresent();
        return (X509CRL) CertificateFactory.getInstance("X.509").generateCRL(new ByteArrayInputStream(answer.body()));
    }

    private static ListName part(EnrolledDevice device) {
        String extension = new String(
                device.chain().getFirst().getExtensionValue("2.5.29.31"), java.nio.charset.StandardCharsets.ISO_8859_1);
        return ListName.parse(extension.substring(extension.lastIndexOf('/') + 1))
                .orElseThrow();
    }

    private static void awaitList(ListName name, X509Certificate certificate, boolean listed) {
        TestServer.await(name + " says so", () -> {
            try {
                return (list(name).getRevokedCertificate(certificate.getSerialNumber()) != null) == listed;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
    }

    @Test
    void aGoodCertificateIsAcceptedByEveryWay() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "good-1");
        assertThat(said(device, "settings", "issuer", "ocsp")).contains("Cert Status: good");
        assertThat(said(device, "settings", "lists", "check")).contains("good-1.pem: OK");
        assertThat(said(device, "settings", "delta", "check-delta")).contains("good-1.pem: OK");
        assertThat(part(device).part()).isPositive();
    }

    @Test
    void aRevocationIsInOcspInTheListOfItsPartAndInTheDeltaToAnOlderList() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "stolen-1");
        EnrolledDevice other = EnrolledDevice.of(server, "kept-1");
        assertThat(said(device, "settings", "issuer", "lists", "check")).contains("stolen-1.pem: OK");

        server.server()
                .identity()
                .revoke(device.serial(), RevocationReason.KEY_COMPROMISE, "stolen", TestServer.TESTER);
        TestServer.await(
                "heard of",
                () -> !server.server()
                        .ca()
                        .standings()
                        .find(device.serial())
                        .orElseThrow()
                        .state()
                        .counts());
        assertThat(said(device, "settings", "ocsp"))
                .contains("Cert Status: revoked")
                .contains("keyCompromise");

        // The list from before does not know; with the delta to it, it does.
        awaitList(part(device).toDelta(), device.chain().getFirst(), true);
        assertThat(said(device, "settings", "check")).contains("stolen-1.pem: OK");
        RealClient.Result refused = run(device, "settings", "delta", "check-delta");
        assertThat(refused.exit()).isNotZero();
        assertThat(refused.errors()).contains("certificate revoked");
        assertThat(said(other, "settings", "check-delta")).contains("kept-1.pem: OK");

        awaitList(part(device), device.chain().getFirst(), true);
        RealClient.Result byNew = run(device, "settings", "lists", "check");
        assertThat(byNew.exit()).isNotZero();
        assertThat(byNew.errors()).contains("certificate revoked");
        assertThat(said(other, "settings", "lists", "check")).contains("kept-1.pem: OK");
    }

    @Test
    void aHoldIsListedAndItsEndIsInTheDelta() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "doubtful-1");
        server.server().identity().suspend(device.ref(), "in doubt", Optional.empty(), TestServer.TESTER);
        awaitList(part(device), device.chain().getFirst(), true);
        assertThat(said(device, "settings", "issuer", "lists", "check")).contains("certificate revoked");
        assertThat(said(device, "settings", "ocsp")).contains("certificateHold");

        server.server().identity().reinstate(device.ref(), "it was nothing", TestServer.TESTER);
        TestServer.await("the delta takes it off", () -> {
            try {
                return list(part(device).toDelta())
                                .getRevokedCertificate(device.chain().getFirst().getSerialNumber())
                                .getRevocationReason()
                        == java.security.cert.CRLReason.REMOVE_FROM_CRL;
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        assertThat(said(device, "settings", "check")).as("by the list alone").contains("certificate revoked");
        assertThat(said(device, "settings", "delta", "check-delta")).contains("doubtful-1.pem: OK");
        awaitList(part(device), device.chain().getFirst(), false);
        assertThat(said(device, "settings", "lists", "check")).contains("doubtful-1.pem: OK");
    }

    @Test
    void aListThatOnceTookLongIsMadeAgainAllTheSame() throws Exception {
        EnrolledDevice first = EnrolledDevice.of(server, "slowly-1");
        EnrolledDevice second = EnrolledDevice.of(server, "slowly-2");
        ListName delta = part(first).toDelta();
        server.server().identity().revoke(first.serial(), RevocationReason.KEY_COMPROMISE, "stolen", TestServer.TESTER);
        try (Database database = Database.open(server.database(), 2);
                var asking = Executors.newVirtualThreadPerTaskExecutor()) {
            Future<HttpResponse<byte[]>> slow = database.transact(sql -> {
                sql.execute("lock table certificate in access exclusive mode");
                Future<HttpResponse<byte[]>> asked = asking.submit(() -> get(pki("/crl/" + delta.file())));
                sql.execute("select pg_sleep(0.4)");
                return asked;
            });
            assertThat(slow.get().statusCode()).isEqualTo(200);
        }
        awaitList(delta, first.chain().getFirst(), true);
        server.server()
                .identity()
                .revoke(second.serial(), RevocationReason.KEY_COMPROMISE, "stolen", TestServer.TESTER);
        awaitList(delta, second.chain().getFirst(), true);
    }

    @Test
    void theListOfAnotherPartSaysNothingAboutACertificate() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "parted-1");
        assertThat(said(device, "settings", "issuer", "lists", "check")).contains("OK");
        ListName own = part(device);
        ListName other = new ListName(own.authority(), own.part() == 1 ? 2 : 1, false);
        HttpResponse<byte[]> answer = get(pki("/crl/" + other.file()));
        if (answer.statusCode() == 404) {
            // Only one part has been begun: the server's authority has one of that number.
            answer = get(pki("/crl/" + new ListName("server-1", own.part(), false).file()));
        }
        Files.write(folder.resolve("part.crl"), answer.body());
        RealClient.Result result = run(device, "settings", "check");
        assertThat(result.exit()).isNotZero();
        assertThat(result.errors()).contains("unable to get certificate CRL");
    }

    @Test
    void aListOfAnythingElseIsNotFound() throws Exception {
        for (String file : java.util.List.of(
                "nobody-1.crl",
                "device-development-1.999999.crl",
                "device-development-1.0.crl",
                "device-development-1.delta",
                "..%2f..%2fca%2froot-1.key",
                "device-development-1.crl.entries")) {
            assertThat(get(pki("/crl/" + file)).statusCode()).as(file).isEqualTo(404);
        }
    }

    @Test
    void numbersOnlyGrowAndAListThatIsKnownIsNotSentAgain() throws Exception {
        ListName whole = new ListName("device-development-1", 0, false);
        java.math.BigInteger complete = number(list(whole));
        assertThat(number(list(whole.toDelta()))).isGreaterThan(complete);
        HttpResponse<byte[]> first = get(pki("/crl/" + whole.file()));
        try (HttpClient client = HttpClient.newHttpClient()) {
            assertThat(client.send(
                                    HttpRequest.newBuilder(URI.create(pki("/crl/" + whole.file())))
                                            .header(
                                                    "if-none-match",
                                                    first.headers()
                                                            .firstValue("etag")
                                                            .orElseThrow())
                                            .build(),
                                    HttpResponse.BodyHandlers.discarding())
                            .statusCode())
                    .isEqualTo(304);
        }
    }

    @Test
    void whatOneRevocationAddsDoesNotGrowWithTheNumberRevoked() throws Exception {
        EnrolledDevice device = EnrolledDevice.of(server, "one-of-many");
        ListName part = part(device);
        int before = get(pki("/crl/" + part.file())).body().length;
        try (Database database = Database.open(server.database(), 2)) {
            database.run(sql -> sql.execute(
                    "insert into certificate(serial, authority, profile, usages, environment, device, name,"
                            + " alternative_names, public_key, key_fingerprint, state, not_before, not_after,"
                            + " intended_at, granted_by, issued_at, ended_at, revocation_reason, crl_part)"
                            + " select '1' || substr(md5('many' || i), 2), ?, 'device', 'tls-client', 'development',"
                            + " 'many-' || i, 'many-' || i, 'URI:urn:x', ''::bytea, md5('k' || i), 'revoked',"
                            + " now() - interval '9 days', now() + interval '9 days', now(), 'token', now(),"
                            + " now() - interval '5 days', 'key-compromise', 1000000 + i / 1024"
                            + " from generate_series(1, 30000) as i",
                    part.authority()));
        }
        server.server()
                .identity()
                .revoke(device.serial(), RevocationReason.KEY_COMPROMISE, "stolen", TestServer.TESTER);
        awaitList(part, device.chain().getFirst(), true);
        ListName delta = new ListName(part.authority(), 0, true);
        awaitList(delta, device.chain().getFirst(), true);
        assertThat(get(pki("/crl/" + part.file())).body().length).isLessThan(before + 1_000);
        assertThat(get(pki("/crl/" + delta.file())).body().length).isLessThan(10_000);

        ListName whole = delta.toComplete();
        awaitList(whole, device.chain().getFirst(), true);
        X509CRL list = list(whole);
        list.verify(server.server()
                .ca()
                .authorities()
                .find(whole.authority())
                .orElseThrow()
                .certificate()
                .getPublicKey());
        assertThat(list.getRevokedCertificates()).hasSizeGreaterThan(30_000);
    }

    private static java.math.BigInteger number(X509CRL list) {
        return org.bouncycastle.asn1.ASN1Integer.getInstance(
                        org.bouncycastle.asn1.ASN1OctetString.getInstance(list.getExtensionValue("2.5.29.20"))
                                .getOctets())
                .getValue();
    }
}
