package dev.holdfast.identity;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Serial;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;

/// One-time enrolment tokens: made for one device, shown once, stored hashed, used once.
public final class EnrolmentTokens {
    private static final Duration LONGEST = Duration.ofDays(30);
    private static final String PREFIX = "hfe_";

    private final Journal journal;
    private final Inventory inventory;
    private final SecureRandom random;

    EnrolmentTokens(Journal journal, Inventory inventory, SecureRandom random) {
        this.journal = journal;
        this.inventory = inventory;
        this.random = random;
    }

    /// What became of a wish for a token.
    public sealed interface Issued {
        /// @param secret shown once, never stored
        record Token(String id, String secret, Instant expiresAt) implements Issued {
            @Override
            public String toString() {
                return "Token[" + id + "]";
            }
        }

        record UnknownDevice() implements Issued {}

        record DeviceRetired() implements Issued {}
    }

    /// @throws IllegalArgumentException when the lifetime is not between a second and 30 days
    Issued issue(DeviceRef device, Duration lifetime, Actor actor) {
        if (lifetime.compareTo(Duration.ofSeconds(1)) < 0 || lifetime.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("a token's lifetime is between 1 second and 30 days");
        }
        String id = HexFormat.of().formatHex(bytes(8));
        String secret = PREFIX + Base64.getUrlEncoder().withoutPadding().encodeToString(bytes(24));
        return journal.commit(tx -> {
            Optional<Device> found = inventory.lock(tx, device);
            if (found.isEmpty()) {
                return new Issued.UnknownDevice();
            }
            if (found.get().state() == dev.holdfast.inventory.Lifecycle.RETIRED) {
                return new Issued.DeviceRetired();
            }
            Instant expires = tx.now().plus(lifetime);
            EnrolmentStore.insertToken(tx.sql(), id, device, hash(secret), tx.now(), expires);
            tx.record(new Entry(
                    "enrolment.token-issued",
                    device.environment(),
                    Inventory.subject(device),
                    actor,
                    "so that the device can enrol itself",
                    Map.of("token", id, "expiresAt", expires.toString())));
            return new Issued.Token(id, secret, expires);
        });
    }

    /// Locks and reads the token with this secret, if there is one for this device.
    Optional<EnrolmentStore.Token> find(Transaction tx, DeviceRef device, String secret) {
        return EnrolmentStore.lockToken(tx.sql(), hash(secret))
                .filter(t -> t.device().equals(device));
    }

    void use(Transaction tx, EnrolmentStore.Token token, Serial serial) {
        EnrolmentStore.useToken(tx.sql(), token.id(), serial, tx.now());
    }

    void withdrawAll(Transaction tx, DeviceRef device) {
        EnrolmentStore.withdrawTokens(tx.sql(), device, tx.now());
    }

    private static String hash(String secret) {
        return Digest.of(secret.getBytes(StandardCharsets.UTF_8)).hex();
    }

    private byte[] bytes(int count) {
        byte[] fresh = new byte[count];
        random.nextBytes(fresh);
        return fresh;
    }
}
