package dev.holdfast.commands;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// Commands as desired state: not "do this now" but "be this", so a device that sleeps gets the whole of it
/// when it
/// wakes, once or many times, with the same outcome.
public final class Commands {
    private static final String CHANGED = "command.desired-changed";
    /// What a small device can be expected to hold.
    private static final int MOST_OCTETS = 32_768;

    private final Database database;
    private final Journal journal;
    private final InstantSource clock;
    private final List<Consumer<DeviceRef>> listeners = new CopyOnWriteArrayList<>();
    private final Map<DeviceRef, Long> delivered = new ConcurrentHashMap<>();
    private final Map<DeviceRef, Long> applied = new ConcurrentHashMap<>();

    public Commands(Database database, Journal journal, InstantSource clock) {
        this.database = database;
        this.journal = journal;
        this.clock = clock;
        journal.subscribe(this::follow);
    }

    /// What the device should be; empty where nothing was ever said.
    public Optional<Desired> desired(DeviceRef device) {
        return database.read(sql -> DesiredStore.find(sql, device, false));
    }

    /// Changes what the device should be, as part of another change.
    ///
    /// @param change from the present state (an empty object where there is none) to the wanted one; rooms
    /// change only
    ///     the keys that are theirs
    /// @return the state after; its revision is the old one where nothing changed
    /// @throws IllegalArgumentException when the state is larger than 32 KiB
    public Desired change(
            Transaction tx, DeviceRef device, UnaryOperator<ObjectNode> change, String reason, Actor actor) {
        Optional<Desired> before = DesiredStore.find(tx.sql(), device, true);
        ObjectNode old =
                before.map(Desired::state).orElseGet(() -> Json.mapper().createObjectNode());
        ObjectNode wanted = change.apply(old.deepCopy());
        if (before.isPresent() && wanted.equals(old)) {
            return before.get();
        }
        byte[] bytes = Json.bytes(wanted);
        if (bytes.length > MOST_OCTETS) {
            throw new IllegalArgumentException("a desired state has at most " + MOST_OCTETS + " octets");
        }
        long revision = before.map(Desired::revision).orElse(0L) + 1;
        DesiredStore.put(tx.sql(), device, revision, wanted, reason, tx.now());
        tx.record(new Entry(
                CHANGED,
                device.environment(),
                "device:" + device.id(),
                actor,
                reason,
                Map.of("revision", revision, "sha256", Digest.of(bytes).hex())));
        return DesiredStore.find(tx.sql(), device, false).orElseThrow();
    }

    public Desired change(DeviceRef device, UnaryOperator<ObjectNode> change, String reason, Actor actor) {
        return journal.commit(tx -> change(tx, device, change, reason, actor));
    }

    /// Says what the device should be, the whole of it.
    public Desired desire(DeviceRef device, ObjectNode state, String reason, Actor actor) {
        return change(device, _ -> state.deepCopy(), reason, actor);
    }

    /// Called on every node when a desired state has changed, on the journal's tail thread: be quick.
    public void onChange(Consumer<DeviceRef> listener) {
        listeners.add(listener);
    }

    /// The device acknowledged receiving this revision. Remembered, and written by [#flush].
    public void delivered(DeviceRef device, long revision) {
        delivered.merge(device, revision, Math::max);
    }

    /// The device said that it applied this revision. Remembered, and written by [#flush].
    public void applied(DeviceRef device, long revision) {
        applied.merge(device, revision, Math::max);
    }

    /// Writes what devices acknowledged: two statements; called every few seconds.
    public void flush() {
        flush("delivered", delivered);
        flush("applied", applied);
    }

    private void flush(String column, Map<DeviceRef, Long> gathered) {
        Map<DeviceRef, Long> batch = new HashMap<>(gathered);
        if (batch.isEmpty()) {
            return;
        }
        Set<DeviceRef> passedOver = database.transact(sql -> DesiredStore.advance(sql, column, batch, clock.instant()));
        batch.keySet().removeAll(passedOver);
        batch.forEach(gathered::remove);
    }

    private void follow(Recorded entry) {
        var json = entry.json();
        if (json.path("kind").asText().equals(CHANGED)) {
            DeviceRef device = new DeviceRef(
                    new Environment(json.path("environment").asText()),
                    new DeviceId(json.path("subject").asText().substring("device:".length())));
            listeners.forEach(listener -> listener.accept(device));
        }
    }
}
