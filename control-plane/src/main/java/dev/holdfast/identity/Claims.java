package dev.holdfast.identity;

import dev.holdfast.ca.Issuance;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Serial;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.ClaimCertificate;
import dev.holdfast.protocol.x509.Crypto;
import java.math.BigInteger;
import java.security.KeyPair;
import java.security.PrivateKey;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.bouncycastle.asn1.x509.SubjectPublicKeyInfo;

/// Batches of devices that come from a factory with one certificate for all, with which each claims its own,
/// once ("claim certificates"). A batch says how many there may be, which, and until when; it can be closed
/// at any time.
///
/// A claim certificate leads to no authority: it counts because its batch knows it, and for nothing else. Its
/// key is given to whoever makes the batch and is not kept.
public final class Claims {
    private static final Duration LONGEST = Duration.ofDays(90);
    private static final Duration BACKDATED = Duration.ofMinutes(5);
    private static final int LARGEST = 100_000;

    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final SecureRandom random;
    private volatile Known known = new Known(Set.of(), Set.of());

    Claims(Database database, Journal journal, Inventory inventory, SecureRandom random) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.random = random;
        journal.obey(entry -> {
            if (entry.content().contains("\"kind\":\"claims.opened\"")) {
                reload();
            }
        });
        reload();
    }

    private void reload() {
        List<X509Certificate> certificates = database.read(ClaimStore::certificates);
        known = new Known(
                certificates.stream().map(Certificates::fingerprint).collect(Collectors.toUnmodifiableSet()),
                certificates.stream()
                        .map(certificate -> Certificates.keyFingerprint(
                                certificate.getPublicKey().getEncoded()))
                        .collect(Collectors.toUnmodifiableSet()));
    }

    /// SHA-256 of the claim certificates, and of their keys.
    private record Known(Set<String> certificates, Set<String> keys) {}

    /// Which devices a batch is for.
    ///
    /// @param pattern `meter-*`: ids that nobody has registered; the star stands for any characters. Empty
    ///     where they are listed.
    /// @param devices the listed ones, registered already or not
    public record Members(Optional<String> pattern, Set<DeviceId> devices) {
        private static final Pattern FORM = Pattern.compile("[A-Za-z0-9._*-]{1,64}");

        public Members {
            devices = Set.copyOf(devices);
            if (pattern.isPresent() == !devices.isEmpty()) {
                throw new IllegalArgumentException("a batch is for a pattern of ids or for a list, one of the two");
            }
            if (devices.size() > LARGEST) {
                throw new IllegalArgumentException("more than " + LARGEST + " devices");
            }
            pattern.ifPresent(text -> {
                if (!FORM.matcher(text).matches()
                        || text.chars().filter(c -> c == '*').count() > 4) {
                    throw new IllegalArgumentException("not a pattern of ids such as meter-*: " + text);
                }
            });
        }

        static boolean fits(String pattern, DeviceId device) {
            StringBuilder expression = new StringBuilder();
            for (String part : pattern.split("\\*", -1)) {
                expression.append(expression.isEmpty() ? "" : "[A-Za-z0-9._-]*").append(Pattern.quote(part));
            }
            return Pattern.matches(expression.toString(), device.value());
        }
    }

    /// A batch that is to be.
    ///
    /// @param most how many devices may claim
    public record Wish(
            Environment environment,
            String name,
            String profile,
            ModelId model,
            Labels labels,
            Members members,
            int most,
            Duration lifetime) {
        public Wish {
            if (!Pattern.matches("[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}", name)) {
                throw new IllegalArgumentException("a batch's name is letters, digits, ' ._-', at most 64");
            }
            if (most < 1 || most > LARGEST) {
                throw new IllegalArgumentException("a batch has between 1 and " + LARGEST + " devices");
            }
            if (lifetime.compareTo(Duration.ofSeconds(1)) < 0 || lifetime.compareTo(LONGEST) > 0) {
                throw new IllegalArgumentException("a batch is open for between 1 second and 90 days");
            }
        }
    }

    /// @param listed how many devices it names; 0 where it goes by a pattern
    /// @param used how many have claimed
    public record Batch(
            String id,
            Environment environment,
            String name,
            X509Certificate certificate,
            String profile,
            ModelId model,
            Labels labels,
            Optional<String> pattern,
            long listed,
            int most,
            int used,
            Instant createdAt,
            Instant expiresAt,
            Optional<Instant> closedAt) {}

    /// What became of a wish for a batch.
    public sealed interface Made {
        /// @param key shown once, never stored
        record Opened(Batch batch, PrivateKey key) implements Made {
            @Override
            public String toString() {
                return "Opened[" + batch.id() + "]";
            }
        }

        record UnknownModel() implements Made {}
    }

    /// A claim, as it is known when it is decided about.
    ///
    /// @param member whether the batch is for this device
    /// @param claimed whether the device has claimed before
    record Claim(Batch batch, boolean member, boolean claimed) {}

    /// Opens a batch; its claim certificate is made, counts until the batch expires, and is known on every
    /// node.
    public Made open(Wish wish, Actor actor) {
        KeyPair key = Crypto.generateP256(random);
        String id = HexFormat.of().formatHex(bytes(8));
        Made made = journal.commit(tx -> {
            if (inventory.model(wish.environment(), wish.model()).isEmpty()) {
                return new Made.UnknownModel();
            }
            Instant expires = tx.now().plus(wish.lifetime()).truncatedTo(ChronoUnit.SECONDS);
            X509Certificate certificate = ClaimCertificate.make(
                    wish.name(),
                    key,
                    new BigInteger(1, bytes(16)).setBit(120),
                    tx.now().minus(BACKDATED),
                    expires);
            Batch batch = new Batch(
                    id,
                    wish.environment(),
                    wish.name(),
                    certificate,
                    wish.profile(),
                    wish.model(),
                    wish.labels(),
                    wish.members().pattern(),
                    wish.members().devices().size(),
                    wish.most(),
                    0,
                    tx.now(),
                    expires,
                    Optional.empty());
            ClaimStore.insert(tx.sql(), batch, wish.members().devices());
            tx.record(new Entry(
                    "claims.opened",
                    wish.environment(),
                    "claims:" + id,
                    actor,
                    "so that the devices of batch " + wish.name() + " can claim their certificates",
                    Map.of(
                            "fingerprint", Certificates.fingerprint(certificate),
                            "profile", wish.profile(),
                            "model", wish.model().value(),
                            "most", wish.most(),
                            "expiresAt", expires.toString())));
            return new Made.Opened(batch, key.getPrivate());
        });
        reload();
        return made;
    }

    private byte[] bytes(int count) {
        byte[] fresh = new byte[count];
        random.nextBytes(fresh);
        return fresh;
    }

    /// From now on nobody claims by it.
    ///
    /// @return the batch as it is now; empty when there is none
    public Optional<Batch> close(Environment environment, String id, String reason, Actor actor) {
        return journal.commit(tx -> {
            Optional<Batch> found = ClaimStore.byId(tx.sql(), environment, id, true);
            if (found.isPresent() && found.get().closedAt().isEmpty()) {
                ClaimStore.close(tx.sql(), id, tx.now());
                tx.record(new Entry(
                        "claims.closed",
                        environment,
                        "claims:" + id,
                        actor,
                        reason,
                        Map.of("used", found.get().used())));
            }
            return ClaimStore.byId(tx.sql(), environment, id, false);
        });
    }

    /// Newest first.
    public List<Batch> list(Environment environment, int limit) {
        return database.read(sql -> ClaimStore.list(sql, environment, limit));
    }

    public Optional<Batch> find(Environment environment, String id) {
        return database.read(sql -> ClaimStore.byId(sql, environment, id, false));
    }

    /// Who has claimed, in order.
    public List<DeviceId> claimed(String batch, int limit) {
        return database.read(sql -> ClaimStore.claimed(sql, batch, limit));
    }

    /// Whether a batch, open or not, has the claim certificate with this fingerprint; from memory, for
    /// handshakes.
    public boolean isClaim(String fingerprint) {
        return known.certificates().contains(fingerprint);
    }

    /// Whether it is the key of a batch, open or not: many have it, so it can be no device's; from memory.
    boolean isKeyOfABatch(SubjectPublicKeyInfo key) {
        return known.keys().contains(Issuance.fingerprint(key));
    }

    /// The batch with this claim certificate, locked, and what it says about this device.
    Optional<Claim> lock(Transaction tx, X509Certificate leaf, DeviceRef device) {
        return ClaimStore.lock(tx.sql(), Certificates.fingerprint(leaf))
                .filter(batch -> batch.environment().equals(device.environment()))
                .map(batch -> {
                    boolean claimed = ClaimStore.hasClaimed(tx.sql(), batch.id(), device.id());
                    boolean member = batch.pattern().isPresent()
                            ? Members.fits(batch.pattern().get(), device.id())
                                    && (claimed || inventory.lock(tx, device).isEmpty())
                            : ClaimStore.names(tx.sql(), batch.id(), device.id());
                    return new Claim(batch, member, claimed);
                });
    }

    /// Counts it, and registers the device where nobody has; in the transaction that grants the certificate.
    void use(Transaction tx, Claim claim, DeviceRef device, Serial serial) {
        Batch batch = claim.batch();
        if (inventory.lock(tx, device).isEmpty()) {
            Inventory.Registered registered = inventory.register(
                    tx, new Inventory.Registration(device, batch.model(), batch.labels()), new Actor.Device(device));
            if (registered instanceof Inventory.Registered.UnknownModel) {
                throw new IllegalStateException("the model of batch " + batch.id() + " is gone");
            }
        }
        ClaimStore.use(tx.sql(), batch.id(), device.id(), serial, tx.now());
        tx.record(new Entry(
                "claims.used",
                device.environment(),
                Inventory.subject(device),
                new Actor.Device(device),
                "claimed its certificate as one of batch " + batch.name(),
                Map.of("batch", batch.id(), "serial", serial.hex())));
    }
}
