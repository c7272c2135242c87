package dev.holdfast.keys;

import dev.holdfast.config.ConfigurationException;
import dev.holdfast.protocol.pkcs8.Pbes2;
import dev.holdfast.protocol.pkcs8.SealedFormatException;
import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.protocol.x509.KeyKind;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;
import org.jspecify.annotations.Nullable;

/// Keys in files, one PEM file each: private key first, public key after it. Files are of mode 0600 in a folder
/// of mode 0700 and are refused when anybody else could read them.
///
/// Under a passphrase the private key is PKCS #8 with PBES2 ([Pbes2]); what lies in clear when a passphrase is
/// first given is encrypted in place, file by file, each by a rename: a crash leaves each key whole, in clear
/// or encrypted.
public final class FileKeyStore implements SigningKeys {
    private static final String PUBLIC_KEY = "PUBLIC KEY";
    private static final String ENCRYPTED = "ENCRYPTED PRIVATE KEY";
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private static final Set<KeyKind> QUICK = EnumSet.of(KeyKind.EC_P256, KeyKind.ED25519);

    private final Path folder;
    private final SecureRandom random;
    private final KeyPassphrase passphrase;
    private final Map<String, KeyPair> loaded = new ConcurrentHashMap<>();

    private FileKeyStore(Path folder, KeyPassphrase passphrase, SecureRandom random) {
        this.folder = folder;
        this.passphrase = passphrase;
        this.random = random;
    }

    /// @param folder of mode 0700
    /// @throws ConfigurationException when a key is encrypted and the passphrase does not open it
    public static FileKeyStore open(Path folder, KeyPassphrase passphrase, SecureRandom random)
            throws ConfigurationException, IOException {
        FileKeyStore store = new FileKeyStore(folder, passphrase, random);
        store.encryptInPlace();
        return store;
    }

    @Override
    public PublicKey create(String name, KeyKind kind) throws IOException {
        return pair(name, kind).getPublic();
    }

    @Override
    public Optional<PublicKey> find(String name) throws IOException {
        return load(name).map(KeyPair::getPublic);
    }

    @Override
    public byte[] sign(String name, byte[] message) {
        try {
            KeyPair pair = load(name).orElseThrow(() -> new IllegalStateException("no key " + name + " in " + folder));
            return Crypto.sign(pair.getPrivate(), Crypto.schemeFor(pair.getPublic()), message);
        } catch (IOException | InvalidKeyException e) {
            throw new IllegalStateException("key " + name + " can't be used", e);
        }
    }

    @Override
    public boolean isQuick(String name) {
        try {
            return find(name).map(KeyKind::of).filter(QUICK::contains).isPresent();
        } catch (IOException e) {
            return false;
        }
    }

    @Override
    public Set<KeyKind> kinds() {
        return EnumSet.of(KeyKind.EC_P256, KeyKind.EC_P384, KeyKind.ED25519, KeyKind.ML_DSA_65);
    }

    @Override
    public String describe() {
        return folder.toString();
    }

    /// The key pair itself, P-256, made where it is missing: for our own listeners, whose TLS library needs the
    /// key.
    public KeyPair pair(String name) throws IOException {
        return pair(name, KeyKind.EC_P256);
    }

    private KeyPair pair(String name, KeyKind kind) throws IOException {
        Optional<KeyPair> known = load(name);
        if (known.isPresent()) {
            return known.get();
        }
        if (!kinds().contains(kind)) {
            throw new IllegalArgumentException("no keys of the kind " + kind + " are made for authorities");
        }
        KeyPair fresh = Crypto.generate(kind, random);
        Path target = file(name);
        Path part = target.resolveSibling(target.getFileName() + ".new");
        writePart(part, text(fresh, passphrase.sealing()));
        try {
            Files.createLink(target, part);
        } catch (FileAlreadyExistsException keptTheOther) {
            // another thread was first; its key is the key
        }
        Files.deleteIfExists(part);
        syncFolder();
        return load(name).orElseThrow();
    }

    private Optional<KeyPair> load(String name) throws IOException {
        KeyPair known = loaded.get(name);
        if (known != null) {
            return Optional.of(known);
        }
        try {
            Optional<KeyPair> found = read(file(name), passphrase.sealing());
            found.ifPresent(pair -> loaded.put(name, pair));
            return found;
        } catch (SealedFormatException e) {
            throw new IOException("the key file " + file(name) + " can't be opened: " + e.getMessage(), e);
        }
    }

    private static Optional<KeyPair> read(Path file, @Nullable Pbes2 opener) throws IOException, SealedFormatException {
        try {
            if (!Files.getPosixFilePermissions(file).equals(OWNER_ONLY)) {
                throw new IOException("the key file " + file + " can be used by others; set its mode to 0600");
            }
            String text = Files.readString(file);
            List<byte[]> plain = Pem.decode(Pem.PRIVATE_KEY, text);
            List<byte[]> encrypted = Pem.decode(ENCRYPTED, text);
            List<byte[]> publics = Pem.decode(PUBLIC_KEY, text);
            if (plain.size() + encrypted.size() != 1 || publics.size() != 1) {
                throw new IOException("the key file " + file + " is damaged");
            }
            if (!encrypted.isEmpty() && opener == null) {
                throw new IOException("the key file " + file + " is encrypted and no passphrase is configured");
            }
            byte[] key = opener == null || encrypted.isEmpty() ? plain.getFirst() : opener.open(encrypted.getFirst());
            String algorithm = Crypto.algorithm(
                            SubjectPublicKeyInfo.getInstance(publics.getFirst()).getAlgorithm())
                    .orElseThrow(() -> new IOException("the key file " + file + " holds a key of an unknown kind"));
            return Optional.of(
                    new KeyPair(Crypto.publicKey(algorithm, publics.getFirst()), Crypto.privateKey(algorithm, key)));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (X509FormatException | GeneralSecurityException | IllegalArgumentException e) {
            throw new IOException("the key file " + file + " is damaged", e);
        }
    }

    private static String text(KeyPair pair, @Nullable Pbes2 sealing) {
        byte[] key = pair.getPrivate().getEncoded();
        return (sealing == null ? Pem.encode(Pem.PRIVATE_KEY, key) : Pem.encode(ENCRYPTED, sealing.seal(key)))
                + Pem.encode(PUBLIC_KEY, pair.getPublic().getEncoded());
    }

    /// 1. What a killed server was about to write is removed: it may be in clear, and nobody has relied on it.
    ///    2.
    /// Every
    /// encrypted key must open, else nothing is changed. 3. What lies in clear, or under the previous
    /// passphrase, is written anew beside itself, forced to disk and renamed.
    private void encryptInPlace() throws ConfigurationException, IOException {
        List<Path> names;
        try (Stream<Path> files = Files.list(folder)) {
            names = files.sorted().toList();
        }
        Map<Path, KeyPair> again = new LinkedHashMap<>();
        for (Path file : names) {
            String name = String.valueOf(file.getFileName());
            if (name.endsWith(".key.new")) {
                Files.delete(file);
            } else if (name.endsWith(".key")) {
                reopen(file).ifPresent(pair -> again.put(file, pair));
            }
        }
        for (Map.Entry<Path, KeyPair> key : again.entrySet()) {
            Path part = key.getKey().resolveSibling(key.getKey().getFileName() + ".new");
            writePart(part, text(key.getValue(), passphrase.sealing()));
            Files.move(part, key.getKey(), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            syncFolder();
        }
    }

    /// The key, where it has to be written anew.
    private Optional<KeyPair> reopen(Path file) throws ConfigurationException, IOException {
        boolean encrypted = Files.readString(file).contains("-----BEGIN " + ENCRYPTED);
        if (!encrypted && passphrase.sealing() == null) {
            return Optional.empty();
        }
        if (passphrase.sealing() == null) {
            throw new ConfigurationException("the keys in " + folder + " are encrypted and no passphrase is configured:"
                    + " set keys.passphraseFile, keys.passphraseCommand or keys.askPassphrase");
        }
        try {
            Optional<KeyPair> pair = read(file, passphrase.sealing());
            return encrypted ? Optional.empty() : pair;
        } catch (SealedFormatException e) {
            return reopenWithPrevious(file, e);
        }
    }

    private Optional<KeyPair> reopenWithPrevious(Path file, SealedFormatException fault)
            throws ConfigurationException, IOException {
        if (passphrase.previous() != null) {
            try {
                return read(file, passphrase.previous());
            } catch (SealedFormatException alsoWrong) {
                fault.addSuppressed(alsoWrong);
            }
        }
        throw new ConfigurationException(
                "the passphrase of the keys does not open " + file + "; nothing was changed", fault);
    }

    private static void writePart(Path part, String text) throws IOException {
        Files.deleteIfExists(part);
        Files.createFile(part, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE)) {
            ByteBuffer octets = ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
            while (octets.hasRemaining()) {
                channel.write(octets);
            }
            channel.force(true);
        }
    }

    private void syncFolder() throws IOException {
        try (FileChannel directory = FileChannel.open(folder, StandardOpenOption.READ)) {
            directory.force(true);
        }
    }

    private Path file(String name) {
        if (!name.matches("[a-z0-9][a-z0-9-]{0,80}")) {
            throw new IllegalArgumentException("not a key name: " + name);
        }
        return folder.resolve(name + ".key");
    }
}
