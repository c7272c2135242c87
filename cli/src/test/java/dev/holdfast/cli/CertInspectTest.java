package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.protocol.x509.CertificationRequest;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.testkit.RealClient;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// `cert inspect` and `cert lint` on files that openssl made, without a server.
class CertInspectTest {
    @TempDir
    Path folder;

    private record Said(int exit, String text) {}

    private static Said run(String... arguments) {
        PrintStream before = System.out;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
            return new Said(Cli.run(arguments), bytes.toString(StandardCharsets.UTF_8));
        } finally {
            System.setOut(before);
        }
    }

    private String file(String name) {
        return folder.resolve(name).toString();
    }

    @Test
    void aCertificateOfOpensslIsSaidInWordsAndItsFaultsAreCounted() {
        RealClient.of(
                        "openssl",
                        "req",
                        "-x509",
                        "-newkey",
                        "rsa:1024",
                        "-nodes",
                        "-sha1",
                        "-keyout",
                        "k.pem",
                        "-out",
                        "c.pem",
                        "-days",
                        "30",
                        "-subj",
                        "/CN=old-meter")
                .in(folder)
                .run()
                .succeeded();
        Said inspected = run("cert", "inspect", "--offline", file("c.pem"));
        assertThat(inspected.exit()).isZero();
        assertThat(inspected.text())
                .contains("of old-meter, issued by old-meter", "RSA with 1024 bits", "FAULT: The key is weak")
                .doesNotContain("This server");
        Said linted = run("cert", "lint", file("c.pem"));
        assertThat(linted.exit()).isEqualTo(1);
        assertThat(linted.text()).contains("FAULT:", "a key of a kind not accepted");
    }

    @Test
    void aGoodRequestPassesTheLintAndAPrivateKeyIsNotShown() throws Exception {
        var key = Crypto.generateP256(new SecureRandom());
        Files.writeString(
                folder.resolve("both.pem"),
                Pem.encode(Pem.CERTIFICATE_REQUEST, CertificationRequest.create("m-1", key))
                        + Pem.encode(Pem.PRIVATE_KEY, key.getPrivate().getEncoded()));
        Said linted = run("cert", "lint", file("both.pem"));
        assertThat(linted.exit()).as(linted.text()).isZero();
        assertThat(linted.text()).contains("No faults found.", "A private key, which is not read");
        assertThat(run("cert", "inspect", "-o", "json", "--offline", file("both.pem"))
                        .text())
                .contains("\"kind\" : \"request\"", "\"faults\" : [ ]");
    }

    @Test
    void rotateSaysWhichCertificatesAreMeant() throws Exception {
        List<String> asked = new CopyOnWriteArrayList<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", exchange -> {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            boolean looks = exchange.getRequestMethod().equals("GET"); // whether there is such a one
            if (!looks) {
                asked.add(exchange.getRequestURI() + " " + body);
            }
            byte[] answer = (looks
                            ? "{\"devices\":[{\"id\":\"m-1\"}]}"
                            : "{\"id\":\"c-1\",\"plannedAt\":\"2026-11-27T00:00:00Z\",\"total\":"
                                    + (body.contains("gone") ? 0 : 1) + "}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(looks ? 200 : 201, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.start();
        try {
            String url = "http://127.0.0.1:" + server.getAddress().getPort();
            String serial = "4F:9A:11:C0:7B:E2:D5:53:00:01:3C:8A";
            assertThat(run("cert", "rotate", "m-1", "--reason", "r", "--url", url)
                            .exit())
                    .isZero();
            assertThat(run("cert", "rotate", serial, "--reason", "r", "--url", url)
                            .exit())
                    .isZero();
            assertThat(run("cert", "rotate", "-l", "site=a", "--per-hour", "9", "--reason", "r", "--url", url)
                            .exit())
                    .isZero();
            assertThat(run("cert", "rotate", "gone", "--reason", "r", "--url", url)
                            .exit())
                    .as("nothing was chosen")
                    .isEqualTo(3);
            assertThat(run("cert", "rotate", "--reason", "r", "--url", url).exit())
                    .isEqualTo(2);
        } finally {
            server.stop(0);
        }
        assertThat(asked.get(0)).contains("/renewal-campaigns", "\"device\":\"m-1\"");
        assertThat(asked.get(1)).contains("\"serial\":\"4F9A11C07BE2D55300013C8A\"");
        assertThat(asked.get(2)).contains("\"selector\":\"site=a\"", "\"perHour\":9");
    }

    @Test
    void whatIsNeitherFileNorSerialIsSaidSo() {
        assertThat(run("cert", "inspect", "no such thing").exit()).isEqualTo(3);
    }
}
