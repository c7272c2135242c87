package dev.holdfast.inventory;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import dev.holdfast.core.Selector;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import java.time.Instant;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/// What exists: models and devices, their state, their firmware, their risk.
///
/// Methods that take a [Transaction] are for other rooms' changes, so that one change can span rooms and still
/// be
/// one.
public final class Inventory {
    /// Entries about a device that change nothing of what is in memory.
    private static final Set<String> UNCHANGED = Set.of("device.risk-assessed", "device.firmware-reported");

    private final Database database;
    private final Journal journal;
    private final DeviceDirectory directory = new DeviceDirectory();
    private final Map<ModelKey, Model> models = new ConcurrentHashMap<>();
    private final Map<DeviceRef, Instant> contacts = new ConcurrentHashMap<>();

    public Inventory(Database database, Journal journal) {
        this.database = database;
        this.journal = journal;
        journal.obey(this::follow);
    }

    /// What is to be registered.
    public record Registration(
            DeviceRef ref, ModelId model, Labels labels, Optional<DeviceId> reachesVia, Lifecycle state) {
        public Registration(DeviceRef ref, ModelId model, Labels labels) {
            this(ref, model, labels, Optional.empty(), Lifecycle.REGISTERED);
        }
    }

    /// What became of a registration.
    public sealed interface Registered {
        record Created(Device device) implements Registered {}

        record Exists(Device device) implements Registered {}

        record UnknownModel(ModelId model) implements Registered {}
    }

    /// Reads every device and model into memory; called once after the journal's tail has this room as
    /// subscriber.
    public void load() {
        database.run(sql -> {
            InventoryStore.allModels(sql)
                    .forEach(model -> models.put(new ModelKey(model.environment(), model.id()), model));
            for (String environment : InventoryStore.environments(sql)) {
                String after = "";
                List<Device> page;
                do {
                    page = InventoryStore.list(sql, new Environment(environment), Selector.ALL, "", after, 10_000);
                    page.forEach(device -> directory.put(device.ref(), standing(device)));
                    after = page.isEmpty() ? after : page.getLast().ref().id().value();
                } while (page.size() == 10_000);
            }
        });
    }

    public DeviceDirectory directory() {
        return directory;
    }

    public Optional<Model> model(Environment environment, ModelId id) {
        return Optional.ofNullable(models.get(new ModelKey(environment, id)));
    }

    public List<Model> models(Environment environment) {
        return database.read(sql -> InventoryStore.models(sql, environment));
    }

    public void putModel(Model model, Actor actor) {
        journal.run(tx -> {
            InventoryStore.putModel(tx.sql(), model, tx.now());
            tx.record(new Entry(
                    "model.defined",
                    model.environment(),
                    "model:" + model.id(),
                    actor,
                    "model defined or changed",
                    Map.of("hardware", model.hardware(), "vendor", model.vendor())));
        });
        models.put(new ModelKey(model.environment(), model.id()), model);
    }

    public Optional<Device> find(DeviceRef ref) {
        return database.read(sql -> InventoryStore.find(sql, ref));
    }

    /// As [#find], inside a change, and locked until it commits.
    public Optional<Device> lock(Transaction tx, DeviceRef ref) {
        return InventoryStore.lock(tx.sql(), ref);
    }

    /// Devices in the order of their ids.
    ///
    /// @param search part of an id, any case; empty for all
    /// @param after the id after which to begin; empty for the first page
    public List<Device> list(Environment environment, Selector selector, String search, String after, int limit) {
        return database.read(sql -> InventoryStore.list(sql, environment, selector, search, after, limit));
    }

    /// The devices reached through a gateway, in the order of their ids.
    public List<Device> behind(DeviceRef gateway) {
        return database.read(sql -> InventoryStore.behind(sql, gateway));
    }

    /// As [#behind], inside a change.
    public List<Device> behind(Transaction tx, DeviceRef gateway) {
        return InventoryStore.behind(tx.sql(), gateway);
    }

    /// Devices in any order, page by page.
    ///
    /// @param after where the page before ended
    /// @throws IllegalArgumentException when that is no position in this order
    public List<Device> list(
            Environment environment,
            Selector selector,
            String search,
            DeviceOrder order,
            Optional<DeviceOrder.Position> after,
            int limit) {
        after.ifPresent(order::check);
        return database.read(sql -> InventoryStore.list(sql, environment, selector, search, order, after, limit));
    }

    /// @param search part of an id, any case; empty for all
    public long count(Environment environment, Selector selector, String search) {
        return database.read(sql -> InventoryStore.count(sql, environment, selector, search));
    }

    public long count(Environment environment, Selector selector) {
        return database.read(sql -> InventoryStore.count(sql, environment, selector));
    }

    /// As [#count], inside a change.
    public long count(Transaction tx, Environment environment, Selector selector) {
        return InventoryStore.count(tx.sql(), environment, selector);
    }

    public Registered register(Registration wish, Actor actor) {
        return journal.commit(tx -> register(tx, wish, actor));
    }

    public Registered register(Transaction tx, Registration wish, Actor actor) {
        if (model(wish.ref().environment(), wish.model()).isEmpty()) {
            return new Registered.UnknownModel(wish.model());
        }
        Optional<Device> existing = InventoryStore.lock(tx.sql(), wish.ref());
        if (existing.isPresent()) {
            return new Registered.Exists(existing.get());
        }
        Device device = unsaved(wish, tx.now());
        InventoryStore.insert(tx.sql(), device);
        tx.record(new Entry(
                "device.registered",
                wish.ref().environment(),
                subject(wish.ref()),
                actor,
                "registered",
                Map.of(
                        "model", wish.model().value(),
                        "labels", wish.labels().values(),
                        "state", device.state().text(),
                        "via", device.reachesVia().map(DeviceId::value).orElse(""))));
        return new Registered.Created(device);
    }

    /// The device that a registration would make.
    public static Device unsaved(Registration wish, Instant now) {
        return new Device(
                wish.ref(),
                wish.model(),
                wish.labels(),
                wish.state(),
                now,
                "registered",
                Optional.empty(),
                wish.reachesVia(),
                now,
                Optional.empty(),
                Optional.empty(),
                Risk.UNKNOWN,
                Optional.empty());
    }

    /// Moves a device to another state, when its present state allows that.
    ///
    /// @param until when the state ends by itself, for time-limited isolation
    public Transition transition(
            Transaction tx, DeviceRef ref, Lifecycle to, String reason, Optional<Instant> until, Actor actor) {
        Optional<Device> found = InventoryStore.lock(tx.sql(), ref);
        return found.isEmpty() ? new Transition.UnknownDevice() : transition(tx, found.get(), to, reason, until, actor);
    }

    /// As above, of a device that this transaction has locked.
    public Transition transition(
            Transaction tx, Device device, Lifecycle to, String reason, Optional<Instant> until, Actor actor) {
        if (device.state() == to) {
            return new Transition.Already(device);
        }
        if (!device.state().mayBecome(to)) {
            return new Transition.NotAllowed(device.state(), to);
        }
        Device moved = InventoryStore.setState(tx.sql(), device.ref(), to, device.state(), reason, tx.now(), until)
                .orElseThrow();
        return changed(tx, moved, device.state(), until, actor);
    }

    /// As above, of a device that is in one state; nothing happens to it in any other.
    public Optional<Device> transitionFrom(
            Transaction tx, DeviceRef ref, Lifecycle from, Lifecycle to, String reason, Actor actor) {
        if (!from.mayBecome(to)) {
            throw new IllegalArgumentException("a device that is " + from.text() + " never becomes " + to.text());
        }
        Optional<Device> moved = InventoryStore.setState(tx.sql(), ref, to, from, reason, tx.now(), Optional.empty());
        moved.ifPresent(device -> changed(tx, device, from, Optional.empty(), actor));
        return moved;
    }

    private static Transition changed(
            Transaction tx, Device moved, Lifecycle from, Optional<Instant> until, Actor actor) {
        Map<String, Object> body =
                new TreeMap<>(Map.of("from", from.text(), "to", moved.state().text()));
        until.ifPresent(end -> body.put("until", end.toString()));
        tx.record(new Entry(
                "device." + moved.state().text(),
                moved.ref().environment(),
                subject(moved.ref()),
                actor,
                moved.stateReason(),
                body));
        return new Transition.Changed(moved, from);
    }

    public Transition transition(DeviceRef ref, Lifecycle to, String reason, Optional<Instant> until, Actor actor) {
        return journal.commit(tx -> transition(tx, ref, to, reason, until, actor));
    }

    /// After a restore: a device that was suspended, quarantined or retired after the backup is so again; where
    /// the
    /// backup's state does not allow quarantine, it is suspended.
    public boolean replay(Transaction tx, Recorded entry) {
        var json = entry.json();
        Lifecycle wanted = switch (json.path("kind").asText()) {
            case "device.suspended" -> Lifecycle.SUSPENDED;
            case "device.quarantined" -> Lifecycle.QUARANTINED;
            case "device.retired" -> Lifecycle.RETIRED;
            default -> null;
        };
        if (wanted == null) {
            return false;
        }
        DeviceRef ref = DeviceRef.of(
                json.path("environment").asText(), json.path("subject").asText().substring("device:".length()));
        Optional<Device> device = InventoryStore.lock(tx.sql(), ref);
        if (device.isEmpty() || device.get().state().compareTo(wanted) >= 0) {
            return false;
        }
        String reason = "again after a restore: " + json.path("reason").asText();
        Actor actor = new Actor.Holdfast("journal");
        Transition outcome = transition(tx, ref, wanted, reason, Optional.empty(), actor);
        if (outcome instanceof Transition.NotAllowed) {
            outcome = transition(tx, ref, Lifecycle.SUSPENDED, reason, Optional.empty(), actor);
        }
        return outcome instanceof Transition.Changed;
    }

    /// The state before the present one, for undo.
    public Optional<Lifecycle> stateBefore(Transaction tx, DeviceRef ref) {
        return InventoryStore.stateBefore(tx.sql(), ref);
    }

    /// What the device says it runs.
    ///
    /// @return whether that is news
    public boolean reportFirmware(Transaction tx, DeviceRef ref, FirmwareVersion version) {
        Optional<Device> device = InventoryStore.lock(tx.sql(), ref);
        if (device.isEmpty()) {
            return false;
        }
        boolean news = !device.get().firmware().equals(Optional.of(version));
        InventoryStore.setFirmware(tx.sql(), ref, version, tx.now());
        if (news) {
            Map<String, Object> body = new TreeMap<>(Map.of("version", version.value()));
            device.get().firmware().ifPresent(before -> body.put("before", before.value()));
            tx.record(new Entry(
                    "device.firmware-reported",
                    ref.environment(),
                    subject(ref),
                    new Actor.Device(ref),
                    "the device reported its firmware",
                    body));
        }
        return news;
    }

    public boolean setLabels(DeviceRef ref, Labels labels, Actor actor) {
        return journal.commit(tx -> {
            if (InventoryStore.lock(tx.sql(), ref).isEmpty()) {
                return false;
            }
            InventoryStore.setLabels(tx.sql(), ref, labels);
            tx.record(new Entry(
                    "device.labelled",
                    ref.environment(),
                    subject(ref),
                    actor,
                    "labels set",
                    Map.of("labels", labels.values())));
            return true;
        });
    }

    public void setRisk(Transaction tx, DeviceRef ref, Risk risk, Actor actor) {
        InventoryStore.setRisk(tx.sql(), ref, risk);
        tx.record(new Entry(
                "device.risk-assessed",
                ref.environment(),
                subject(ref),
                actor,
                String.join("; ", risk.reasons()),
                Map.of("level", risk.level().name().toLowerCase(java.util.Locale.ROOT))));
    }

    /// Remembers that the device was heard; written by [#flushContacts].
    public void heard(DeviceRef ref, Instant at) {
        contacts.put(ref, at);
    }

    /// Writes what [#heard] gathered: one statement; called every few seconds.
    public void flushContacts() {
        Map<DeviceRef, Instant> batch = new HashMap<>();
        for (DeviceRef ref : List.copyOf(contacts.keySet())) {
            @Nullable Instant at = contacts.remove(ref);
            if (at != null) {
                batch.put(ref, at);
            }
        }
        if (!batch.isEmpty()) {
            List<DeviceRef> written = database.transact(sql -> InventoryStore.setLastContact(sql, batch));
            written.forEach(batch::remove);
            batch.forEach(contacts::putIfAbsent);
        }
    }

    /// When each of these devices was last heard, by whichever node; some seconds old. Those never heard are
    /// left out.
    public Map<DeviceRef, Instant> lastContacts(Collection<DeviceRef> devices) {
        return devices.isEmpty() ? Map.of() : database.read(sql -> InventoryStore.lastContacts(sql, devices));
    }

    /// The journal's subject of a device.
    public static String subject(DeviceRef ref) {
        return "device:" + ref.id();
    }

    private void follow(Recorded entry) {
        var json = entry.json();
        String kind = json.path("kind").asText();
        Environment environment = new Environment(json.path("environment").asText());
        String subject = json.path("subject").asText();
        if (kind.startsWith("device.") && subject.startsWith("device:")) {
            DeviceRef ref = new DeviceRef(environment, new DeviceId(subject.substring("device:".length())));
            told(kind, json.path("body"), directory.find(ref))
                    .or(() -> find(ref).map(Inventory::standing))
                    .ifPresent(standing -> directory.put(ref, standing));
        } else if (kind.equals("model.defined")) {
            models(environment).forEach(model -> models.put(new ModelKey(environment, model.id()), model));
        }
    }

    /// What the entry says by itself: a fleet that is registered, or connects after a power cut, is thousands
    /// of entries, and what comes behind them, a revocation perhaps, must not wait for as many questions to the
    /// database.
    ///
    /// @return empty when the database must be asked
    private static Optional<Standing> told(String kind, JsonNode body, Optional<Standing> known) {
        if (known.isPresent() && UNCHANGED.contains(kind)) {
            return known;
        }
        if (known.isPresent()
                && body.hasNonNull("from")
                && kind.equals("device." + body.path("to").asText())) {
            Standing before = known.get();
            return Optional.of(new Standing(
                    Lifecycle.of(body.path("to").asText()), before.model(), before.labels(), before.reachesVia()));
        }
        if (kind.equals("device.registered") && body.hasNonNull("state")) {
            Map<String, String> labels = new TreeMap<>();
            body.path("labels")
                    .properties()
                    .forEach(
                            label -> labels.put(label.getKey(), label.getValue().asText()));
            return Optional.of(new Standing(
                    Lifecycle.of(body.path("state").asText()),
                    new ModelId(body.path("model").asText()),
                    new Labels(labels),
                    DeviceId.parse(body.path("via").asText())));
        }
        return Optional.empty();
    }

    private static Standing standing(Device device) {
        return new Standing(device.state(), device.model(), device.labels(), device.reachesVia());
    }

    private record ModelKey(Environment environment, ModelId id) {}
}
