package dev.holdfast.identity;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Secrets that a device and we both know and neither sends: CMP's MAC protection (RFC 9483 section 4.1.5),
/// ACME's external account binding (RFC 8555 section 7.3.4). Made for one device, shown once, good for one
/// certificate or one account.
///
/// They can't be stored hashed, because we compute with them; so they are derived from the installation's
/// secret and their own id, and the database holds nothing that helps whoever reads it.
public final class SharedSecrets {
    private static final Duration LONGEST = Duration.ofDays(30);
    private static final byte[] PURPOSE = "holdfast shared secret v1 ".getBytes(StandardCharsets.US_ASCII);

    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final SecureRandom random;
    private final SecretKeySpec installation;

    /// @param installation 32 octets, the same on every node
    SharedSecrets(Database database, Journal journal, Inventory inventory, SecureRandom random, byte[] installation) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.random = random;
        this.installation = new SecretKeySpec(installation, "HmacSHA256");
    }

    /// What became of a wish for a secret.
    public sealed interface Issued {
        /// @param id sent in the clear with each message: CMP's reference, ACME's key id
        /// @param secret 43 characters of base64url; protocols that want text use these characters, those that
        ///     want octets the 32 that they stand for
        record Secret(String id, String secret, Instant expiresAt) implements Issued {
            @Override
            public String toString() {
                return "Secret[" + id + "]";
            }
        }

        record UnknownDevice() implements Issued {}

        record DeviceRetired() implements Issued {}
    }

    /// A secret as it is found by its id.
    ///
    /// @param usedBy what it has given already
    @SuppressWarnings("ArrayRecordComponent") // never compared
    public record Known(
            String id, DeviceRef device, Instant expiresAt, Optional<String> usedBy, boolean withdrawn, byte[] octets) {
        /// As people and `openssl cmp -secret` type it.
        public String text() {
            return encode(octets);
        }

        @Override
        public String toString() {
            return "Known[" + id + ", " + device + "]";
        }
    }

    /// @throws IllegalArgumentException when the lifetime is not between a second and 30 days
    Issued issue(DeviceRef device, Duration lifetime, Actor actor) {
        if (lifetime.compareTo(Duration.ofSeconds(1)) < 0 || lifetime.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("a secret's lifetime is between 1 second and 30 days");
        }
        byte[] fresh = new byte[8];
        random.nextBytes(fresh);
        String id = "hfs" + HexFormat.of().formatHex(fresh);
        return journal.commit(tx -> {
            Optional<Device> found = inventory.lock(tx, device);
            if (found.isEmpty()) {
                return new Issued.UnknownDevice();
            }
            if (found.get().state() == Lifecycle.RETIRED) {
                return new Issued.DeviceRetired();
            }
            Instant expires = tx.now().plus(lifetime);
            SharedSecretStore.insert(tx.sql(), id, device, tx.now(), expires);
            tx.record(new Entry(
                    "enrolment.secret-issued",
                    device.environment(),
                    Inventory.subject(device),
                    actor,
                    "so that the device can enrol itself by a protocol that authenticates with a shared secret",
                    Map.of("secret", id, "expiresAt", expires.toString())));
            return new Issued.Secret(id, encode(derive(id)), expires);
        });
    }

    /// The secret with this id, to check a MAC with; whether it may still be used is decided with the request.
    public Optional<Known> find(String id) {
        return database.read(sql -> SharedSecretStore.find(sql, id, false)).map(this::known);
    }

    /// As [#find], locked.
    public Optional<Known> lock(Transaction tx, String id) {
        return SharedSecretStore.find(tx.sql(), id, true).map(this::known);
    }

    /// Uses it up.
    ///
    /// @param by the certificate's serial, or `account:` and the account that it gave
    public void use(Transaction tx, String id, String by) {
        SharedSecretStore.use(tx.sql(), id, by, tx.now());
    }

    void withdrawAll(Transaction tx, DeviceRef device) {
        SharedSecretStore.withdraw(tx.sql(), device, tx.now());
    }

    private Known known(SharedSecretStore.Row row) {
        return new Known(row.id(), row.device(), row.expiresAt(), row.usedBy(), row.withdrawn(), derive(row.id()));
    }

    private byte[] derive(String id) {
        try {
            Mac mac = Mac.getInstance("HmacSHA256");
            mac.init(installation);
            mac.update(PURPOSE);
            return mac.doFinal(id.getBytes(StandardCharsets.UTF_8));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("HMAC is missing from this Java platform", e);
        }
    }

    private static String encode(byte[] octets) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(octets);
    }
}
