package dev.holdfast.acme;

import com.sun.net.httpserver.HttpServer;
import dev.holdfast.TestServer;
import dev.holdfast.profiles.CertificateProfile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/// A server with a profile for gateways, the DNS they are known by, and the web server they share: all on
/// loopback.
final class Gateways implements AutoCloseable {
    static final String PROFILE = "gateway";
    final TestServer server;
    final LoopbackNames names = new LoopbackNames();
    /// What the web server says, by path; before that it looks into [#webroot].
    final Map<String, String> pages = new ConcurrentHashMap<>();
    final AtomicInteger asked = new AtomicInteger();
    final Path webroot;
    private final HttpServer web;

    Gateways() {
        try {
            webroot = Files.createTempDirectory("holdfast-webroot");
            web = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 16);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        web.setExecutor(Executors.newVirtualThreadPerTaskExecutor());
        web.createContext("/", exchange -> {
            asked.incrementAndGet();
            String path = exchange.getRequestURI().getPath();
            Path file = webroot.resolve("." + path).normalize();
            String page = pages.get(path);
            if (page == null && file.startsWith(webroot) && Files.isRegularFile(file)) {
                page = Files.readString(file);
            }
            if (page != null && page.startsWith("-> ")) {
                exchange.getResponseHeaders().add("location", page.substring(3));
                exchange.sendResponseHeaders(302, -1);
            } else if (page == null) {
                exchange.sendResponseHeaders(404, -1);
            } else {
                byte[] body = page.getBytes(StandardCharsets.UTF_8);
                exchange.sendResponseHeaders(200, body.length);
                exchange.getResponseBody().write(body);
            }
            exchange.close();
        });
        web.start();
        server = TestServer.start(settings());
        server.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        profile(PROFILE, CertificateProfile.Attestation.NONE),
                        "for tests",
                        TestServer.TESTER);
    }

    Map<String, String> settings() {
        return Map.of(
                "HOLDFAST_ACCESS_FIRST_TOKEN",
                "true",
                "HOLDFAST_ACME_LOOPBACK",
                "true",
                "HOLDFAST_ACME_HTTP_PORT",
                Integer.toString(web.getAddress().getPort()),
                "HOLDFAST_ACME_RESOLVER",
                names.hostAndPort());
    }

    static CertificateProfile profile(String name, CertificateProfile.Attestation attestation) {
        CertificateProfile usual =
                CertificateProfile.of(name, CertificateProfile.Usage.TLS_SERVER, Duration.ofDays(30), Duration.ZERO);
        return new CertificateProfile(
                name,
                Set.of(CertificateProfile.Usage.TLS_SERVER, CertificateProfile.Usage.TLS_CLIENT),
                usual.keys(),
                usual.validity(),
                usual.rotation(),
                new CertificateProfile.Admittance(
                        usual.admittance().credentials(), false, false, attestation, List.of("*.gw.example.test")));
    }

    /// Makes the web server say what http-01 wants to hear.
    void say(String token, String keyAuthorization) {
        pages.put("/.well-known/acme-challenge/" + token, keyAuthorization);
    }

    @Override
    public void close() {
        server.close();
        web.stop(0);
        names.close();
    }
}
