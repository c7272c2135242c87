package dev.holdfast.protocol.fuzz;

import dev.holdfast.protocol.x509.Crypto;
import dev.holdfast.testkit.SoftTpm.TpmKey;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyPair;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Good inputs and the keys that belong to them, as they were made once: with new keys and signatures each time no
/// two checks would try the same. What is not stored yet is made, and written by [#main].
final class StoredSeeds {
    private static final String FILE = "/fuzz/seeds.txt";
    private static final Map<String, List<byte[]>> STORED = read();
    private static final Map<String, List<byte[]>> MADE = new TreeMap<>();

    private StoredSeeds() {}

    private static Map<String, List<byte[]>> read() {
        try (InputStream in = StoredSeeds.class.getResourceAsStream(FILE)) {
            return in == null
                    ? Map.of()
                    : new String(in.readAllBytes(), StandardCharsets.US_ASCII)
                            .lines()
                            .filter(line -> !line.startsWith("#"))
                            .map(line -> line.split(" ", -1))
                            .collect(Collectors.toMap(
                                    parts -> parts[0],
                                    parts -> Stream.of(parts)
                                            .skip(1)
                                            .map(Base64.getDecoder()::decode)
                                            .toList()));
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }

    static synchronized List<byte[]> of(String name, Supplier<List<byte[]>> fresh) {
        List<byte[]> found = STORED.getOrDefault(name, MADE.get(name));
        if (found == null) {
            found = fresh.get();
            MADE.put(name, found);
        }
        return found;
    }

    /// A key pair of a test alone; nothing is protected by it.
    static KeyPair key(String name, Supplier<KeyPair> fresh) {
        return pair(of("key/" + name, () -> parts(fresh.get())));
    }

    static TpmKey tpm(String name, Supplier<TpmKey> fresh) {
        List<byte[]> found = of("tpm/" + name, () -> {
            TpmKey made = fresh.get();
            return Stream.concat(parts(made.pair()).stream(), Stream.of(made.area()))
                    .toList();
        });
        return new TpmKey(pair(found), found.get(3));
    }

    private static List<byte[]> parts(KeyPair pair) {
        return List.of(
                pair.getPrivate().getAlgorithm().getBytes(StandardCharsets.US_ASCII),
                pair.getPrivate().getEncoded(),
                pair.getPublic().getEncoded());
    }

    private static KeyPair pair(List<byte[]> parts) {
        String algorithm = new String(parts.get(0), StandardCharsets.US_ASCII);
        try {
            return new KeyPair(
                    Crypto.publicKey(algorithm, parts.get(2)),
                    KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(parts.get(1))));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("a stored key that can't be read", e);
        }
    }

    /// What was not stored and had to be made.
    static synchronized List<String> made() {
        return List.copyOf(MADE.keySet());
    }

    /// Stores what was not: after a target was added, or its lines taken out.
    ///
    /// @param args the file
    public static void main(String[] args) throws IOException {
        new ProtocolTargets().get();
        Map<String, List<byte[]>> all = new TreeMap<>(STORED);
        all.putAll(MADE);
        Files.writeString(
                Path.of(args[0]),
                all.entrySet().stream()
                        .map(entry -> entry.getKey()
                                + entry.getValue().stream()
                                        .map(octets -> " " + Base64.getEncoder().encodeToString(octets))
                                        .collect(Collectors.joining()))
                        .collect(Collectors.joining(
                                "\n",
                                "# Made by StoredSeeds.main: good inputs by target, and throw-away keys of these tests.\n",
                                "\n")),
                StandardCharsets.US_ASCII);
    }
}
