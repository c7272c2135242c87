package dev.holdfast.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.config.ConfigurationException;
import dev.holdfast.protocol.pkcs8.Pbes2;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.interfaces.ECPrivateKey;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Keys in files: in clear, encrypted in place, cut off at every write, and with the wrong passphrase.
class FileKeyStoreTest {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final byte[] MESSAGE = "message".getBytes(StandardCharsets.US_ASCII);

    @TempDir
    private Path folder;

    private static Pbes2 sealing(String passphrase) {
        return new Pbes2(passphrase.getBytes(StandardCharsets.US_ASCII), new Pbes2.Cost(1 << 14, 8, 1), RANDOM);
    }

    private static KeyPassphrase under(String passphrase) {
        return new KeyPassphrase(sealing(passphrase), null);
    }

    private FileKeyStore open(KeyPassphrase passphrase) throws Exception {
        return FileKeyStore.open(folder, passphrase, RANDOM);
    }

    private Map<String, String> files() throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> list = Files.list(folder)) {
            for (Path file : list.toList()) {
                files.put(String.valueOf(file.getFileName()), Files.readString(file));
            }
        }
        return files;
    }

    @ParameterizedTest
    @EnumSource(
            value = KeyKind.class,
            names = {"EC_P256", "EC_P384", "ED25519", "ML_DSA_65"})
    void keysOfEachKindSignAndAreTheSameAfterARestart(KeyKind kind) throws Exception {
        FileKeyStore store = open(under("a passphrase"));
        PublicKey made = store.create("device-1", kind);
        assertThat(KeyKind.of(made)).isEqualTo(kind);
        FileKeyStore again = open(under("a passphrase"));
        assertThat(again.find("device-1")).contains(made);
        assertThat(again.create("device-1", KeyKind.EC_P256)).isEqualTo(made);
        assertThat(Crypto.verify(made, Crypto.schemeFor(made), MESSAGE, again.sign("device-1", MESSAGE)))
                .isTrue();
        assertThat(files().get("device-1.key"))
                .contains("BEGIN ENCRYPTED PRIVATE KEY")
                .doesNotContain("BEGIN PRIVATE KEY");
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("device-1.key"))))
                .isEqualTo("rw-------");
    }

    @Test
    void keysInClearAreEncryptedInPlaceWhenAPassphraseIsFirstGiven() throws Exception {
        PublicKey first = open(KeyPassphrase.NONE).create("root-1", KeyKind.EC_P256);
        open(KeyPassphrase.NONE).create("server-1", KeyKind.EC_P384);
        assertThat(files().values()).allMatch(text -> text.contains("BEGIN PRIVATE KEY"));
        FileKeyStore store = open(under("a passphrase"));
        assertThat(files().values()).noneMatch(text -> text.contains("BEGIN PRIVATE KEY"));
        assertThat(store.find("root-1")).contains(first);
        assertThat(Crypto.verify(first, "SHA256withECDSA", MESSAGE, store.sign("root-1", MESSAGE)))
                .isTrue();
        Map<String, String> encrypted = files();
        open(under("a passphrase"));
        assertThat(files()).isEqualTo(encrypted); // once is enough
    }

    @Test
    void aPowerCutAtAnyWriteOfTheEncryptionLosesNoKeyAndTheNextStartEndsIt() throws Exception {
        Map<String, PublicKey> keys = new TreeMap<>();
        for (String name : List.of("device-1", "root-1", "server-1")) {
            keys.put(name, open(KeyPassphrase.NONE).create(name));
        }
        Map<String, String> before = files();
        open(under("a passphrase"));
        Map<String, String> after = files();
        for (int done = 0; done <= keys.size(); done++) { // so many were renamed, and the next was half written
            int i = 0;
            for (String file : before.keySet()) {
                write(file, i < done ? after.getOrDefault(file, "") : before.getOrDefault(file, ""));
                if (i == done) {
                    write(file + ".new", after.getOrDefault(file, "").substring(0, 70));
                }
                i++;
            }
            FileKeyStore store = open(under("a passphrase"));
            for (String name : keys.keySet()) {
                assertThat(store.find(name)).contains(keys.get(name));
            }
            assertThat(files().keySet()).isEqualTo(before.keySet());
            assertThat(files().values()).noneMatch(text -> text.contains("BEGIN PRIVATE KEY"));
        }
    }

    private void write(String file, String text) throws IOException {
        Files.deleteIfExists(folder.resolve(file));
        Files.createFile(
                folder.resolve(file),
                PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(folder.resolve(file), text);
    }

    @Test
    void theWrongPassphraseOrNoneIsRefusedAndChangesNothing() throws Exception {
        open(under("a passphrase")).create("root-1");
        Map<String, String> before = files();
        assertThatThrownBy(() -> open(under("another one")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("root-1.key")
                .hasMessageContaining("nothing was changed");
        assertThatThrownBy(() -> open(KeyPassphrase.NONE))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("no passphrase is configured");
        assertThat(files()).isEqualTo(before);
    }

    @Test
    void thePassphraseIsChangedByGivingThePreviousOneToo() throws Exception {
        PublicKey key = open(under("a passphrase")).create("root-1");
        FileKeyStore changed = open(new KeyPassphrase(sealing("the new one"), sealing("a passphrase")));
        assertThat(changed.find("root-1")).contains(key);
        assertThat(open(under("the new one")).find("root-1")).contains(key);
        assertThatThrownBy(() -> open(under("a passphrase"))).isInstanceOf(ConfigurationException.class);
    }

    @Test
    void aKeyThatOthersCouldReadOrThatIsDamagedIsRefused() throws Exception {
        FileKeyStore store = open(KeyPassphrase.NONE);
        store.create("root-1");
        Path file = folder.resolve("root-1.key");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> open(KeyPassphrase.NONE).find("root-1")).hasMessageContaining("can be used by others");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-------"));
        Files.writeString(file, Files.readString(file).substring(0, 100));
        assertThatThrownBy(() -> open(KeyPassphrase.NONE).find("root-1")).hasMessageContaining("damaged");
        assertThatThrownBy(() -> open(KeyPassphrase.NONE).find("../root-1")).hasMessageContaining("not a key name");
    }

    @Test
    void noTextOfOursHoldsAPrivateKey() throws Exception {
        FileKeyStore store = open(under("a passphrase"));
        KeyPair pair = store.pair("listener-device");
        String secret = ((ECPrivateKey) pair.getPrivate()).getS().toString(16);
        assertThat(under("a passphrase") + store.describe())
                .doesNotContain(secret)
                .doesNotContain("a passphrase");
        assertThat(String.valueOf(pair.getPrivate())).doesNotContainIgnoringCase(secret);
    }
}
