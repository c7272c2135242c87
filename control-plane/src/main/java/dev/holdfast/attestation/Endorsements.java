package dev.holdfast.attestation;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Which endorsement key is which device's, for ever, and whose endorsement certificates count.
public final class Endorsements {
    private static final Pattern FINGERPRINT = Pattern.compile("[0-9a-f]{64}");
    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private volatile List<Anchor> anchors = List.of();

    /// A maker of TPMs.
    ///
    /// @param id SHA-256 of the certificate
    /// @param software it certifies programs that imitate a TPM
    /// @param firstUse whether a TPM under it may claim a registered device that has neither an endorsement
    ///     key nor a certificate: only for anchors whose TPMs are all yours
    public record Anchor(
            Environment environment,
            String id,
            String name,
            X509Certificate certificate,
            boolean software,
            boolean firstUse) {}

    /// @param fingerprint SHA-256 of its SubjectPublicKeyInfo
    /// @param software nobody has said that it is in a real TPM
    /// @param firstUse bound when the device first came, not by an operator
    public record Key(String fingerprint, DeviceRef device, boolean software, boolean firstUse) {
        public Key {
            if (!FINGERPRINT.matcher(fingerprint).matches()) {
                throw new IllegalArgumentException("not a SHA-256 in lower-case hexadecimal");
            }
        }
    }

    /// What became of a wish to register a key.
    public enum Registered {
        REGISTERED,
        ALREADY_REGISTERED,
        BELONGS_TO_ANOTHER_DEVICE,
        UNKNOWN_DEVICE
    }

    Endorsements(Database database, Journal journal, Inventory inventory) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        journal.subscribe(entry -> {
            if (entry.content().contains("\"kind\":\"tpm.anchor-")) {
                reload();
            }
        });
        reload();
    }

    /// One at a time, or an older reading could replace a newer one.
    private synchronized void reload() {
        anchors = List.copyOf(database.<List<Anchor>>read(EndorsementStore::anchors));
    }

    public List<Anchor> anchors(Environment environment) {
        return anchors.stream().filter(a -> a.environment().equals(environment)).toList();
    }

    /// Takes the CA certificate of a maker of TPMs as an anchor.
    ///
    /// @return false when it is not a CA's
    public boolean registerAnchor(Anchor anchor, Actor actor) {
        boolean @org.jspecify.annotations.Nullable [] usage =
                anchor.certificate().getKeyUsage();
        if (anchor.certificate().getBasicConstraints() < 0 || (usage != null && !usage[5])) {
            return false;
        }
        journal.run(tx -> {
            EndorsementStore.putAnchor(tx.sql(), anchor, tx.now());
            tx.record(new Entry(
                    "tpm.anchor-registered",
                    anchor.environment(),
                    "tpm-anchor:" + anchor.id(),
                    actor,
                    "endorsement certificates under it count",
                    Map.of("name", anchor.name(), "software", anchor.software(), "firstUse", anchor.firstUse())));
        });
        reload();
        return true;
    }

    /// @return false when there is no such anchor
    public boolean withdrawAnchor(Environment environment, String id, String reason, Actor actor) {
        boolean withdrawn = journal.commit(tx -> withdrawAnchor(tx, environment, id, reason, actor));
        reload();
        return withdrawn;
    }

    static boolean withdrawAnchor(Transaction tx, Environment environment, String id, String reason, Actor actor) {
        if (!EndorsementStore.withdrawAnchor(tx.sql(), environment, id)) {
            return false;
        }
        tx.record(new Entry("tpm.anchor-withdrawn", environment, "tpm-anchor:" + id, actor, reason, Map.of()));
        return true;
    }

    /// Says that the TPM with this endorsement key is this device's.
    public Registered register(Key key, Actor actor) {
        return journal.commit(tx -> {
            if (inventory.lock(tx, key.device()).isEmpty()) {
                return Registered.UNKNOWN_DEVICE;
            }
            Optional<Key> before = EndorsementStore.find(tx.sql(), key.fingerprint());
            if (before.isPresent() && !before.get().device().equals(key.device())) {
                return Registered.BELONGS_TO_ANOTHER_DEVICE;
            }
            if (before.isPresent() && !EndorsementStore.setSoftware(tx.sql(), key.fingerprint(), key.software())) {
                return Registered.ALREADY_REGISTERED;
            }
            bind(tx, key, actor, "the TPM with this endorsement key is this device's");
            return Registered.REGISTERED;
        });
    }

    /// Binds a key that nobody has, or the device itself.
    static void bind(Transaction tx, Key key, Actor actor, String reason) {
        if (!EndorsementStore.bind(tx.sql(), key, tx.now()).equals(key.device())) {
            throw new IllegalStateException("the endorsement key belongs to another device");
        }
        tx.record(new Entry(
                "tpm.endorsement-registered",
                key.device().environment(),
                Inventory.subject(key.device()),
                actor,
                reason,
                Map.of("fingerprint", key.fingerprint(), "software", key.software())));
    }

    public List<Key> of(DeviceRef device) {
        return database.read(sql -> EndorsementStore.of(sql, device));
    }

    /// The name of an endorsement key.
    public static String fingerprint(byte[] subjectPublicKeyInfo) {
        return Certificates.keyFingerprint(subjectPublicKeyInfo);
    }
}
