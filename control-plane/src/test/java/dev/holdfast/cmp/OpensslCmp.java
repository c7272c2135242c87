package dev.holdfast.cmp;

import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// `openssl cmp` in a folder of its own, against a test server.
final class OpensslCmp {
    private final TestServer server;
    private final Path folder;
    private final String program;
    private String path = "/.well-known/cmp";

    OpensslCmp(TestServer server, Path folder) {
        this(server, folder, "openssl");
    }

    /// @param program another `openssl` than this system's
    OpensslCmp(TestServer server, Path folder, String program) {
        this.server = server;
        this.folder = folder;
        this.program = program;
        try {
            Files.copy(server.rootPem(), folder.resolve("root.pem"));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// As this one, to another path of the server.
    OpensslCmp at(String other) {
        path = other;
        return this;
    }

    /// A secret for this device, as `-ref` and `-secret` want it.
    List<String> secret(DeviceRef device) {
        return switch (server.server().identity().issueSharedSecret(device, Duration.ofHours(1), TestServer.TESTER)) {
            case SharedSecrets.Issued.Secret secret ->
                List.of("-ref", secret.id(), "-secret", "pass:" + secret.secret(), "-mac", "hmacWithSHA256");
            case SharedSecrets.Issued.UnknownDevice _, SharedSecrets.Issued.DeviceRetired _ ->
                throw new IllegalStateException("no secret for " + device);
        };
    }

    static List<String> signedWith(String certificate) {
        return List.of("-cert", certificate + ".pem", "-key", certificate + ".key");
    }

    /// A fresh P-256 key in `{name}.key`.
    OpensslCmp key(String name) {
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", name + ".key")
                .succeeded();
        return this;
    }

    RealClient.Result openssl(String... arguments) {
        return RealClient.of(program, arguments).in(folder).run();
    }

    /// One transaction.
    RealClient.Result run(List<String> credential, String... arguments) {
        List<String> all = new ArrayList<>(List.of(
                "cmp",
                "-config",
                "",
                "-server",
                "https://localhost:" + server.server().devicePort() + path,
                "-tls_used",
                "-tls_trusted",
                "root.pem",
                "-trusted",
                "root.pem",
                "-msg_timeout",
                "20"));
        all.addAll(credential);
        all.addAll(List.of(arguments));
        return openssl(all.toArray(String[]::new));
    }

    X509Certificate certificate(String name) {
        try {
            return Certificates.parsePem(Files.readString(folder.resolve(name + ".pem")))
                    .getFirst();
        } catch (IOException | X509FormatException e) {
            throw new AssertionError(e);
        }
    }

    Path file(String name) {
        return folder.resolve(name);
    }
}
