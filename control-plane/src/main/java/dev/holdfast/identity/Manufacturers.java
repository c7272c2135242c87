package dev.holdfast.identity;

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
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/// Manufacturers whose initial device identities (IEEE 802.1AR) count as credentials for enrolment, and which
/// product
/// serial of theirs is which device of ours.
///
/// The anchors are in memory on every node, because each handshake asks for them.
public final class Manufacturers {
    private static final Pattern PRODUCT = Pattern.compile("[\\x21-\\x7e]{1,64}");
    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private volatile List<Anchor> anchors = List.of();
    private volatile List<X509Certificate> certificates = List.of();

    /// What becomes of products whose serial nobody has registered.
    public enum Unregistered {
        REFUSED,
        /// A person decides, and says which device it is.
        HELD;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }

        public static Optional<Unregistered> parse(String text) {
            return java.util.Arrays.stream(values())
                    .filter(u -> u.text().equals(text))
                    .findFirst();
        }
    }

    /// @param id SHA-256 of the certificate, lower-case hexadecimal
    public record Anchor(
            String id, Environment environment, String name, X509Certificate certificate, Unregistered unregistered) {}

    /// What became of a wish to register an anchor.
    public sealed interface AnchorRegistered {
        record Registered(Anchor anchor) implements AnchorRegistered {}

        /// Not a CA's, so it can't have signed devices' identities.
        record NotAnAuthority() implements AnchorRegistered {}
    }

    /// What became of a wish to register a product serial.
    public enum SerialRegistered {
        REGISTERED,
        ALREADY_REGISTERED,
        BELONGS_TO_ANOTHER_DEVICE,
        UNKNOWN_ANCHOR,
        UNKNOWN_DEVICE
    }

    Manufacturers(Database database, Journal journal, Inventory inventory) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        journal.obey(entry -> {
            if (entry.content().contains("\"kind\":\"manufacturer.anchor-")) {
                reload();
            }
        });
        reload();
    }

    private void reload() {
        anchors = List.copyOf(database.<List<Anchor>>read(EnrolmentStore::anchors));
        certificates = anchors.stream().map(Anchor::certificate).toList();
    }

    public List<Anchor> anchors() {
        return anchors;
    }

    /// As the TLS door wants them.
    public List<X509Certificate> certificates() {
        return certificates;
    }

    /// As the other; products that nobody has registered are refused.
    public AnchorRegistered registerAnchor(
            Environment environment, String name, X509Certificate certificate, Actor actor) {
        return registerAnchor(environment, name, certificate, Unregistered.REFUSED, actor);
    }

    /// Takes a manufacturer's CA certificate as an anchor for this environment; again, to change what is said
    /// of it.
    public AnchorRegistered registerAnchor(
            Environment environment, String name, X509Certificate certificate, Unregistered unregistered, Actor actor) {
        boolean @org.jspecify.annotations.Nullable [] usage = certificate.getKeyUsage();
        if (certificate.getBasicConstraints() < 0 || (usage != null && !usage[5])) {
            return new AnchorRegistered.NotAnAuthority();
        }
        Anchor anchor = new Anchor(Certificates.fingerprint(certificate), environment, name, certificate, unregistered);
        journal.run(tx -> {
            EnrolmentStore.putAnchor(tx.sql(), anchor, tx.now());
            tx.record(new Entry(
                    "manufacturer.anchor-registered",
                    environment,
                    "manufacturer:" + anchor.id(),
                    actor,
                    "its devices may enrol with the identity they left the factory with",
                    Map.of("name", name, "unregistered", unregistered.text())));
        });
        reload();
        return new AnchorRegistered.Registered(anchor);
    }

    /// @return false when there is no such anchor
    public boolean withdrawAnchor(String id, String reason, Actor actor) {
        boolean withdrawn = journal.commit(tx -> {
            Optional<Anchor> known = EnrolmentStore.anchors(tx.sql()).stream()
                    .filter(a -> a.id().equals(id))
                    .findFirst();
            if (known.isEmpty() || !EnrolmentStore.withdrawAnchor(tx.sql(), id)) {
                return false;
            }
            tx.record(new Entry(
                    "manufacturer.anchor-withdrawn",
                    known.get().environment(),
                    "manufacturer:" + id,
                    actor,
                    reason,
                    Map.of()));
            return true;
        });
        reload();
        return withdrawn;
    }

    /// Says that the manufacturer's product with this serial is this device.
    ///
    /// @param product the subject's serialNumber attribute in the initial identity; printable ASCII, at most 64
    public SerialRegistered registerSerial(String anchor, String product, DeviceRef device, Actor actor) {
        return journal.commit(tx -> registerSerial(tx, anchor, product, device, actor));
    }

    /// As the other, inside a change of another room (imports).
    public SerialRegistered registerSerial(
            Transaction tx, String anchor, String product, DeviceRef device, Actor actor) {
        if (!PRODUCT.matcher(product).matches()) {
            throw new IllegalArgumentException("a product serial is printable ASCII, at most 64 characters");
        }
        Optional<Anchor> known = EnrolmentStore.anchors(tx.sql()).stream()
                .filter(a -> a.id().equals(anchor))
                .findFirst();
        if (known.isEmpty() || !known.get().environment().equals(device.environment())) {
            return SerialRegistered.UNKNOWN_ANCHOR;
        }
        if (inventory.lock(tx, device).isEmpty()) {
            return SerialRegistered.UNKNOWN_DEVICE;
        }
        Optional<DeviceRef> before = EnrolmentStore.deviceOf(tx.sql(), anchor, product);
        if (before.isPresent()) {
            return before.get().equals(device)
                    ? SerialRegistered.ALREADY_REGISTERED
                    : SerialRegistered.BELONGS_TO_ANOTHER_DEVICE;
        }
        EnrolmentStore.putSerial(tx.sql(), anchor, product, device);
        tx.record(new Entry(
                "manufacturer.serial-registered",
                device.environment(),
                Inventory.subject(device),
                actor,
                "the manufacturer's product with this serial is this device",
                Map.of("anchor", anchor, "product", product)));
        return SerialRegistered.REGISTERED;
    }

    /// Whether it has the form of a product's serial.
    public static boolean isProduct(String serial) {
        return PRODUCT.matcher(serial).matches();
    }

    /// Which device a product is.
    public Optional<DeviceRef> deviceOf(String anchor, String product) {
        return database.read(sql -> EnrolmentStore.deviceOf(sql, anchor, product));
    }

    /// As the other, inside a change.
    public Optional<DeviceRef> deviceOf(Transaction tx, String anchor, String product) {
        return EnrolmentStore.deviceOf(tx.sql(), anchor, product);
    }
}
