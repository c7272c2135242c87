package dev.holdfast.keys;

import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import dev.holdfast.protocol.pkcs8.Pbes2;
import java.io.Console;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where the passphrase comes from at every start: a file, a program, the terminal, or systemd. Never an
/// argument or an environment variable, which other processes could read.
///
/// What was read is kept as octets, never as text, and appears in no message.
public final class PassphraseStore {
    private static final String CREDENTIAL = "holdfast-keys";
    private static final String PIN_CREDENTIAL = "holdfast-pin";
    private static final int MOST_OCTETS = 1024;
    private static final int LEAST_OCTETS = 12;
    private static final long PATIENCE_SECONDS = 30;

    private PassphraseStore() {}

    /// @throws ConfigurationException when what is configured gives no passphrase, or more than one source is
    public static KeyPassphrase read(Configuration.KeySettings settings, SecureRandom random)
            throws ConfigurationException {
        long sources = Stream.of(
                        settings.passphraseFile() != null,
                        settings.passphraseCommand() != null,
                        settings.askPassphrase())
                .filter(set -> set)
                .count();
        if (sources > 1) {
            throw new ConfigurationException(
                    "configuration: set one of keys.passphraseFile, keys.passphraseCommand, keys.askPassphrase");
        }
        byte @Nullable [] passphrase = passphrase(settings);
        if (passphrase == null) {
            return KeyPassphrase.NONE;
        }
        if (passphrase.length < LEAST_OCTETS) {
            throw new ConfigurationException("the passphrase of the keys is shorter than " + LEAST_OCTETS
                    + " octets; make one, for instance by: openssl rand -base64 24");
        }
        Pbes2 previous = settings.previousPassphraseFile() == null
                ? null
                : new Pbes2(
                        file(Path.of(settings.previousPassphraseFile()), "keys.previousPassphraseFile"),
                        Pbes2.Cost.USUAL,
                        random);
        KeyPassphrase ready = new KeyPassphrase(new Pbes2(passphrase, Pbes2.Cost.USUAL, random), previous);
        Arrays.fill(passphrase, (byte) 0);
        return ready;
    }

    private static byte @Nullable [] passphrase(Configuration.KeySettings settings) throws ConfigurationException {
        if (settings.passphraseFile() != null) {
            return file(Path.of(settings.passphraseFile()), "keys.passphraseFile");
        }
        if (settings.passphraseCommand() != null) {
            return command(settings.passphraseCommand());
        }
        if (settings.askPassphrase()) {
            return terminal();
        }
        return credential(settings, CREDENTIAL);
    }

    /// The token's PIN.
    static char[] pin(Configuration.KeySettings settings) throws ConfigurationException {
        byte @Nullable [] pin = settings.pkcs11().pinFile() == null
                ? credential(settings, PIN_CREDENTIAL)
                : file(Path.of(settings.pkcs11().pinFile()), "keys.pkcs11.pinFile");
        if (pin == null) {
            throw new ConfigurationException(
                    "configuration: keys.pkcs11 needs the token's PIN in keys.pkcs11.pinFile, a file of mode 0600");
        }
        return StandardCharsets.UTF_8.decode(ByteBuffer.wrap(pin)).toString().toCharArray();
    }

    /// systemd.exec(5), LoadCredential: a folder that only this service can read.
    private static byte @Nullable [] credential(Configuration.KeySettings settings, String name)
            throws ConfigurationException {
        if (settings.credentialsDirectory() == null) {
            return null;
        }
        Path file = Path.of(settings.credentialsDirectory()).resolve(name);
        return Files.exists(file) ? firstLine(contents(file, "the credential " + name), file.toString()) : null;
    }

    private static byte[] file(Path file, String key) throws ConfigurationException {
        try {
            Set<PosixFilePermission> permissions = Files.getPosixFilePermissions(file);
            if (permissions.stream().anyMatch(p -> !p.name().startsWith("OWNER_"))) {
                throw new ConfigurationException(key + ": others can read " + file + "; set its mode to 0600");
            }
        } catch (IOException e) {
            throw unreadable(key, file, e);
        }
        return firstLine(contents(file, key), file.toString());
    }

    private static byte[] contents(Path file, String what) throws ConfigurationException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(MOST_OCTETS + 1);
        } catch (IOException e) {
            throw unreadable(what, file, e);
        }
    }

    private static ConfigurationException unreadable(String what, Path file, IOException cause) {
        return new ConfigurationException(
                what + ": " + file + (cause instanceof NoSuchFileException ? " does not exist" : " can't be read"),
                cause);
    }

    private static byte[] firstLine(byte[] text, String from) throws ConfigurationException {
        int end = 0;
        while (end < text.length && text[end] != '\n' && text[end] != '\r') {
            end++;
        }
        if (end == 0 || end > MOST_OCTETS) {
            throw new ConfigurationException(
                    from + " gives no passphrase: its first line is empty or longer than " + MOST_OCTETS + " octets");
        }
        byte[] line = Arrays.copyOf(text, end);
        Arrays.fill(text, (byte) 0);
        return line;
    }

    /// Without a shell: the words are the program and its arguments. What it says on standard error goes to
    /// ours.
    private static byte[] command(String words) throws ConfigurationException {
        List<String> command = List.of(words.strip().split("\\s+"));
        try {
            Process process = new ProcessBuilder(command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .redirectError(ProcessBuilder.Redirect.INHERIT)
                    .start();
            byte[] written;
            try (InputStream out = process.getInputStream()) {
                if (!process.waitFor(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                    throw new ConfigurationException("keys.passphraseCommand did not end within " + PATIENCE_SECONDS
                            + " s: " + command.getFirst());
                }
                written = out.readNBytes(MOST_OCTETS + 1);
            }
            if (process.exitValue() != 0) {
                throw new ConfigurationException(
                        "keys.passphraseCommand failed with " + process.exitValue() + ": " + command.getFirst());
            }
            return firstLine(written, "keys.passphraseCommand");
        } catch (IOException e) {
            throw new ConfigurationException("keys.passphraseCommand can't be run: " + command.getFirst(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ConfigurationException("interrupted while waiting for keys.passphraseCommand", e);
        }
    }

    private static byte[] terminal() throws ConfigurationException {
        Console console = System.console();
        char @Nullable [] typed =
                console == null || !console.isTerminal() ? null : console.readPassword("Passphrase of the keys: ");
        if (typed == null || typed.length == 0) {
            throw new ConfigurationException(
                    "keys.askPassphrase is set and nothing was typed on a terminal; use keys.passphraseFile for services");
        }
        ByteBuffer octets = StandardCharsets.UTF_8.encode(CharBuffer.wrap(typed));
        byte[] passphrase = new byte[octets.remaining()];
        octets.get(passphrase);
        Arrays.fill(typed, '\0');
        return passphrase;
    }
}
