package dev.holdfast.keys;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where the passphrase comes from: each source, and what is refused.
class PassphraseStoreTest {
    private static final String PASSPHRASE = "correct horse battery staple";

    @TempDir
    private Path folder;

    private static KeyPassphrase read(Map<String, String> variables) throws ConfigurationException {
        return PassphraseStore.read(
                Configuration.load(Optional.empty(), variables).keys(), new SecureRandom());
    }

    private Path file(String name, String content, String mode) throws IOException {
        Path file = Files.writeString(folder.resolve(name), content);
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString(mode));
        return file;
    }

    /// What one source gives opens what another sealed, when both give the same words.
    private void assertGives(Map<String, String> variables) throws Exception {
        Path reference = file("reference", PASSPHRASE + "\n", "rw-------");
        KeyPassphrase expected = read(Map.of("HOLDFAST_KEYS_PASSPHRASE_FILE", reference.toString()));
        byte[] sealed = Objects.requireNonNull(expected.sealing()).seal(new byte[] {7});
        assertThat(Objects.requireNonNull(read(variables).sealing()).open(sealed))
                .containsExactly(7);
    }

    @Test
    void nothingConfiguredMeansNoPassphrase() throws Exception {
        assertThat(read(Map.of())).isEqualTo(KeyPassphrase.NONE);
        assertThat(read(Map.of("CREDENTIALS_DIRECTORY", folder.toString()))).isEqualTo(KeyPassphrase.NONE);
    }

    @Test
    void theFirstLineOfAFileThatOnlyItsOwnerReads() throws Exception {
        Path file = file("passphrase", PASSPHRASE + "\r\nand a remark\n", "rw-------");
        assertGives(Map.of("HOLDFAST_KEYS_PASSPHRASE_FILE", file.toString()));
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));
        assertThatThrownBy(() -> read(Map.of("HOLDFAST_KEYS_PASSPHRASE_FILE", file.toString())))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("set its mode to 0600");
        assertThatThrownBy(() -> read(Map.of(
                        "HOLDFAST_KEYS_PASSPHRASE_FILE", folder.resolve("none").toString())))
                .hasMessageContaining("does not exist");
    }

    @Test
    void systemdsCredentialWithoutAnyConfiguration() throws Exception {
        file("holdfast-keys", PASSPHRASE, "r--------");
        assertGives(Map.of("CREDENTIALS_DIRECTORY", folder.toString()));
    }

    @Test
    void aProgramThatIsStartedWithoutAShell() throws Exception {
        Path program = file("helper", "#!/bin/sh\ncat \"$1\"\n", "rwx------");
        Path file = file("passphrase", PASSPHRASE + "\n", "rw-------");
        assertGives(Map.of("HOLDFAST_KEYS_PASSPHRASE_COMMAND", program + " " + file));
        assertThatThrownBy(() -> read(Map.of("HOLDFAST_KEYS_PASSPHRASE_COMMAND", program + " /none;id")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("failed with 1");
        assertThatThrownBy(() -> read(Map.of("HOLDFAST_KEYS_PASSPHRASE_COMMAND", folder + "/no-such-program")))
                .hasMessageContaining("can't be run");
        assertThatThrownBy(() -> read(Map.of("HOLDFAST_KEYS_PASSPHRASE_COMMAND", "/bin/true")))
                .hasMessageContaining("gives no passphrase");
    }

    @Test
    void aTerminalThatIsNotThereIsAClearError() {
        assertThatThrownBy(() -> read(Map.of("HOLDFAST_KEYS_ASK_PASSPHRASE", "true")))
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("terminal");
    }

    @Test
    void twoSourcesAndShortPassphrasesAreRefusedAndNoMessageRepeatsThem() throws Exception {
        Path file = file("passphrase", "secretword\n", "rw-------");
        assertThatThrownBy(() -> read(Map.of(
                        "HOLDFAST_KEYS_PASSPHRASE_FILE",
                        file.toString(),
                        "HOLDFAST_KEYS_PASSPHRASE_COMMAND",
                        "/bin/true")))
                .hasMessageContaining("set one of");
        assertThatThrownBy(() -> read(Map.of("HOLDFAST_KEYS_PASSPHRASE_FILE", file.toString())))
                .hasMessageContaining("shorter than")
                .hasMessageNotContaining("secretword");
    }
}
