package dev.holdfast.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.TestServer;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.Key;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.Provider;
import java.security.PublicKey;
import java.security.Security;
import java.security.spec.ECPrivateKeySpec;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Keys on a token (SoftHSM2), looked at with OpenSC's `pkcs11-tool`: made inside, never to be had outside, and
/// nothing
/// goes on when the token is away or locked.
class Pkcs11KeyStoreTest {
    private static final byte[] MESSAGE = "message".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    private Path folder;

    private static Pkcs11KeyStore open(String label, String pin) throws ConfigurationException {
        return Pkcs11KeyStore.open(Configuration.load(Optional.empty(), SoftToken.settings(label, pin))
                .keys());
    }

    private static RealClient.Result tool(String label, String... arguments) {
        String[] all = Stream.concat(
                        Stream.of(
                                "--module",
                                SoftToken.library().toString(),
                                "--token-label",
                                label,
                                "--login",
                                "--pin",
                                SoftToken.PIN),
                        Stream.of(arguments))
                .toArray(String[]::new);
        return RealClient.of("pkcs11-tool", all)
                .with("SOFTHSM2_CONF", SoftToken.configuration().toString())
                .run();
    }

    @Test
    void keysAreMadeInsideTheTokenSignAndCanNotBeReadOut() throws Exception {
        Pkcs11KeyStore store = open("sign", SoftToken.PIN);
        for (KeyKind kind : store.kinds()) {
            String name = "device-" + kind.text();
            PublicKey key = store.create(name, kind);
            assertThat(KeyKind.of(key)).isEqualTo(kind);
            assertThat(Crypto.verify(key, Crypto.schemeFor(key), MESSAGE, store.sign(name, MESSAGE)))
                    .isTrue();
            assertThat(store.create(name, kind)).isEqualTo(key);
            assertThat(open("sign", SoftToken.PIN).find(name)).contains(key);
        }
        assertThat(store.find("another")).isEmpty();
        assertThatThrownBy(() -> store.sign("another", MESSAGE)).hasMessageContaining("no key another");
        assertThatThrownBy(() -> store.create("device-rsa", KeyKind.RSA)).isInstanceOf(IllegalArgumentException.class);

        String objects = tool("sign", "--list-objects").succeeded().text();
        assertThat(objects.split("Private Key Object", -1)).hasSize(3);
        assertThat(objects.split("Access: +sensitive, always sensitive, never extractable, local", -1))
                .hasSize(3);
        assertThat(objects).doesNotContain("decrypt").doesNotContain("unwrap");
        assertTheTokenGivesNoPrivateKey("device-ec-p256");
        assertThat(store.describe()).doesNotContain(SoftToken.PIN);
    }

    /// With the PIN and the very interface that signs: the token itself refuses to tell the private number.
    private static void assertTheTokenGivesNoPrivateKey(String name) throws Exception {
        Provider look = Security.getProvider("SunPKCS11")
                .configure("--name=look\nlibrary=" + SoftToken.library() + "\nslot=" + SoftToken.slot("sign") + "\n");
        KeyStore token = KeyStore.getInstance("PKCS11", look);
        token.load(null, SoftToken.PIN.toCharArray());
        Key key = token.getKey(name, null);
        assertThat(key.getEncoded()).isNull();
        assertThatThrownBy(() -> KeyFactory.getInstance("EC", look).getKeySpec(key, ECPrivateKeySpec.class))
                .rootCause()
                .hasMessageContaining("CKR_ATTRIBUTE_SENSITIVE");
    }

    @Test
    void theWrongPinAnotherSlotAndAMissingModuleAreClearErrorsAndTheStartIsRefused() throws Exception {
        assertThatThrownBy(() -> open("locked", "0000"))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("CKR_PIN_INCORRECT")
                .hasMessageNotContaining("0000");
        Map<String, String> settings = new HashMap<>(SoftToken.settings("locked", SoftToken.PIN));
        settings.put("HOLDFAST_KEYS_PKCS11_SLOT", "4711");
        assertThatThrownBy(() -> Pkcs11KeyStore.open(
                        Configuration.load(Optional.empty(), settings).keys()))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("slot 4711");
        settings.put("HOLDFAST_KEYS_PKCS11_LIBRARY", "/no/such/module.so");
        assertThatThrownBy(() -> TestServer.start(settings)).cause().hasMessageContaining("/no/such/module.so");
    }

    @Test
    void aServerIssuesAnswersAndRevokesWithKeysThatAreOnlyOnTheToken() throws Exception {
        Map<String, String> settings = new HashMap<>(SoftToken.settings("server", SoftToken.PIN));
        settings.put("HOLDFAST_KEYS_AUTHORITY_KIND", "ec-p384");
        try (TestServer server = TestServer.start(settings)) {
            DeviceRef device = server.register("on-a-token");
            var result = recipe("settings", "root", "enrol", "status")
                    .run(folder, variables(server, device), Duration.ofSeconds(60));
            assertThat(result.text()).contains("device.pem: good").contains("device.pem: OK");
            assertThat(Certificates.parsePem(Files.readString(folder.resolve("device.pem")))
                            .getFirst()
                            .getSigAlgName())
                    .isEqualTo("SHA384withECDSA");
            try (Stream<Path> files = Files.list(server.folder().resolve("data/ca"))) {
                assertThat(files.map(f -> String.valueOf(f.getFileName())).filter(n -> n.endsWith(".key")))
                        .isNotEmpty()
                        .allMatch(name -> name.startsWith("listener-"));
            }
        }
    }

    @Test
    void whenTheTokenIsTakenAwayNothingIsIssuedAndNothingUnissuedIsCalledGood() throws Exception {
        try (TestServer server = TestServer.start(SoftToken.settings("removed", SoftToken.PIN))) {
            DeviceRef before = server.register("before");
            recipe("settings", "root", "enrol", "status")
                    .run(folder, variables(server, before), Duration.ofSeconds(60));
            Path away = folder.resolve("away");
            Files.move(SoftToken.tokens(), away);
            try {
                DeviceRef after = server.register("after");
                Map<String, String> variables = variables(server, after);
                Files.delete(folder.resolve("device.pem"));
                assertThatThrownBy(() -> recipe("settings", "enrol").run(folder, variables, Duration.ofSeconds(60)))
                        .hasMessageContaining("error: 503");
                assertThat(server.server().identity().certificates(after))
                        .allSatisfy(c -> assertThat(c.der()).isEmpty());
                String asked = RealClient.of(
                                "openssl",
                                "ocsp",
                                "-issuer",
                                "issuer.pem",
                                "-serial",
                                "0x4711",
                                "-CAfile",
                                "root.pem",
                                "-url",
                                variables.get("PKI") + "/ocsp")
                        .in(folder)
                        .run()
                        .text();
                assertThat(asked).doesNotContain("good"); // OCSP has a delegated key of its own, and says what it knows
            } finally {
                Files.move(away, SoftToken.tokens());
            }
        }
    }

    private static Recipe recipe(String... steps) {
        return Recipe.read(Path.of(System.getProperty("holdfast.root", ".."))
                        .resolve("docs/recipes/enrol-with-openssl-and-curl.md"))
                .only(steps);
    }

    private static Map<String, String> variables(TestServer server, DeviceRef device) {
        String credential = server.credential(device);
        return Map.of(
                "HOLDFAST",
                "localhost:" + server.server().devicePort(),
                "PKI",
                "http://localhost:" + server.server().pkiPort(),
                "DEVICE",
                device.id().value(),
                "TOKEN",
                credential.substring(credential.indexOf(':') + 1));
    }
}
