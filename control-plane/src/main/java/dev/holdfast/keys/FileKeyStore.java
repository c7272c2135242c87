package dev.holdfast.keys;

import dev.holdfast.protocol.x509.Crypto;
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
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.SecureRandom;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// P-256 keys, one PEM file each: private key first, public key after it. Files are of mode 0600 in a folder of
/// mode
/// 0700 and are refused when anybody else could read them.
public final class FileKeyStore implements SigningKeys {
    private static final String PUBLIC_KEY = "PUBLIC KEY";
    private static final Set<PosixFilePermission> OWNER_ONLY = PosixFilePermissions.fromString("rw-------");
    private final Path folder;
    private final SecureRandom random;
    private final Map<String, KeyPair> loaded = new ConcurrentHashMap<>();

    /// @param folder of mode 0700
    public FileKeyStore(Path folder, SecureRandom random) {
        this.folder = folder;
        this.random = random;
    }

    @Override
    public java.security.PublicKey create(String name) throws IOException {
        return pair(name).getPublic();
    }

    @Override
    public Optional<java.security.PublicKey> find(String name) throws IOException {
        return load(name).map(KeyPair::getPublic);
    }

    @Override
    public byte[] sign(String name, byte[] message) {
        try {
            KeyPair pair = load(name).orElseThrow(() -> new IllegalStateException("no key " + name + " in " + folder));
            return Crypto.sign(pair.getPrivate(), "SHA256withECDSA", message);
        } catch (IOException e) {
            throw new IllegalStateException("key " + name + " can't be read", e);
        }
    }

    @Override
    public String describe() {
        return folder.toString();
    }

    /// The key pair itself, made where it is missing: for our own listeners, whose TLS library needs the key.
    public KeyPair pair(String name) throws IOException {
        Optional<KeyPair> known = load(name);
        if (known.isPresent()) {
            return known.get();
        }
        KeyPair fresh = Crypto.generateP256(random);
        write(name, fresh);
        return load(name).orElseThrow();
    }

    private Optional<KeyPair> load(String name) throws IOException {
        KeyPair known = loaded.get(name);
        if (known != null) {
            return Optional.of(known);
        }
        Path file = file(name);
        try {
            if (!Files.getPosixFilePermissions(file).equals(OWNER_ONLY)) {
                throw new IOException("the key file " + file + " can be used by others; set its mode to 0600");
            }
            String text = Files.readString(file);
            List<byte[]> privates = Pem.decode(Pem.PRIVATE_KEY, text);
            List<byte[]> publics = Pem.decode(PUBLIC_KEY, text);
            if (privates.size() != 1 || publics.size() != 1) {
                throw new IOException("the key file " + file + " is damaged");
            }
            KeyPair pair = new KeyPair(
                    Crypto.publicKey("EC", publics.getFirst()), Crypto.privateKey("EC", privates.getFirst()));
            loaded.put(name, pair);
            return Optional.of(pair);
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (X509FormatException | GeneralSecurityException e) {
            throw new IOException("the key file " + file + " is damaged", e);
        }
    }

    /// Written beside, forced to disk, then linked to its name: a crash leaves no half key, and an existing key
    /// is
    /// never overwritten.
    private void write(String name, KeyPair pair) throws IOException {
        String text = Pem.encode(Pem.PRIVATE_KEY, pair.getPrivate().getEncoded())
                + Pem.encode(PUBLIC_KEY, pair.getPublic().getEncoded());
        Path target = file(name);
        Path fresh = target.resolveSibling(target.getFileName() + ".new");
        Files.deleteIfExists(fresh);
        Files.createFile(fresh, PosixFilePermissions.asFileAttribute(OWNER_ONLY));
        try (FileChannel channel = FileChannel.open(fresh, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
            channel.force(true);
        }
        try {
            Files.createLink(target, fresh);
        } catch (FileAlreadyExistsException keptTheOther) {
            // another thread was first; its key is the key
        }
        Files.deleteIfExists(fresh);
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
