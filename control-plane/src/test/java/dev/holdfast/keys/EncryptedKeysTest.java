package dev.holdfast.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.TestServer;
import dev.holdfast.database.TestDatabase;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A server that began in clear, gets a passphrase, and is started again with it, without it, and with another.
class EncryptedKeysTest {
    @TempDir
    private Path folder;

    private static Map<Path, byte[]> secrets(Path data) throws IOException {
        Map<Path, byte[]> found = new TreeMap<>();
        for (String name : new String[] {"ca", "secrets"}) {
            try (Stream<Path> files = Files.walk(data.resolve(name))) {
                for (Path file : files.filter(Files::isRegularFile).toList()) {
                    found.put(data.relativize(file), Files.readAllBytes(file));
                }
            }
        }
        return found;
    }

    private Map<String, String> passphrase(String words) throws IOException {
        Path file = Files.writeString(folder.resolve("passphrase"), words + "\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        return Map.of("HOLDFAST_KEYS_PASSPHRASE_FILE", file.toString());
    }

    @Test
    void everySecretInTheDataFolderIsEncryptedFromTheFirstStartWithAPassphrase() throws Exception {
        var database = TestDatabase.freshAddress();
        Path home = folder.resolve("a");
        Path data = home.resolve("data");
        TestServer first = start(home, database, Map.of());
        String root = first.server().deviceTls().rootFingerprint();
        Map<Path, byte[]> plain = secrets(data);
        first.stop();

        TestServer sealed = start(home, database, passphrase("correct horse battery staple"));
        assertThat(sealed.server().deviceTls().rootFingerprint()).isEqualTo(root);
        sealed.stop();
        Map<Path, byte[]> after = secrets(data);
        assertThat(after.keySet()).containsAll(plain.keySet());
        after.forEach(EncryptedKeysTest::assertEncrypted);

        for (Map<String, String> wrong : List.of(Map.<String, String>of(), passphrase("another horse entirely"))) {
            assertThatThrownBy(() -> start(home, database, wrong)).cause().hasMessageContaining("passphrase");
            secrets(data).forEach(EncryptedKeysTest::assertEncrypted);
        }

        // A restart needs nothing but the same passphrase, and the keys work.
        try (TestServer again = start(home, database, passphrase("correct horse battery staple"));
                HttpClient client = HttpClient.newHttpClient()) {
            assertThat(again.server().deviceTls().rootFingerprint()).isEqualTo(root);
            HttpResponse<byte[]> list = client.send(
                    HttpRequest.newBuilder(URI.create(
                                    "http://127.0.0.1:" + again.server().pkiPort() + "/crl/server-1.crl"))
                            .build(),
                    HttpResponse.BodyHandlers.ofByteArray());
            assertThat(list.statusCode()).isEqualTo(200);
        }
    }

    private static void assertEncrypted(Path file, byte[] content) {
        String text = new String(content, StandardCharsets.ISO_8859_1);
        if (file.toString().endsWith(".pem")) {
            assertThat(text).as(file.toString()).startsWith("-----BEGIN CERTIFICATE");
        } else {
            assertThat(text)
                    .as(file.toString())
                    .containsAnyOf("SEALED SECRET", "ENCRYPTED PRIVATE KEY")
                    .doesNotContain("BEGIN PRIVATE KEY");
        }
    }

    private static TestServer start(
            Path home, dev.holdfast.database.Database.Address database, Map<String, String> settings) {
        return TestServer.start(home, database, settings, InstantSource.system());
    }
}
