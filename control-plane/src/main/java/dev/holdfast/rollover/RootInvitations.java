package dev.holdfast.rollover;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.ca.Ca;
import dev.holdfast.commands.Commands;
import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import dev.holdfast.protocol.x509.Certificates;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;

/// Tells devices that there is a root to learn: desired state `trust: {roots: [SHA-256]}`, at the rollover's
/// rate. A device believes nothing because of it; it asks for the authorities, and judges what it gets.
final class RootInvitations {
    private static final Actor SELF = new Actor.Holdfast("rollover");
    /// In one change: what cuts a session waits for no more than that.
    private static final int MOST_AT_ONCE = 50;
    /// After everybody was told: who is new asks by itself when it enrols.
    private static final Duration QUIET = Duration.ofMinutes(1);

    private final Database database;
    private final Journal journal;
    private final Ca ca;
    private final Commands commands;
    private final InstantSource clock;
    private volatile Instant quietUntil = Instant.MIN;
    private volatile boolean closing;

    RootInvitations(Database database, Journal journal, Ca ca, Commands commands, InstantSource clock) {
        this.database = database;
        this.journal = journal;
        this.ca = ca;
        this.commands = commands;
        this.clock = clock;
    }

    /// A root was made ready: there is somebody to tell.
    void begin() {
        quietUntil = Instant.MIN;
    }

    /// The change that is being made is finished; the others are, after the next start.
    void close() {
        closing = true;
    }

    /// Tells as many as the rate allows; called every few seconds, on every node, on a thread of its own: one of
    /// them does it at a time.
    void tellDue() {
        if (closing || clock.instant().isBefore(quietUntil)) {
            return;
        }
        boolean all = true;
        for (String id : database.<List<String>>read(RolloverStore::openRoots)) {
            int told;
            do {
                told = journal.commit(tx -> RolloverStore.takeRoot(tx.sql(), id)
                        .map(rollover -> tellSome(tx, rollover))
                        .orElse(0));
                all &= told == 0;
            } while (told == MOST_AT_ONCE && !closing);
        }
        if (all && !closing) {
            quietUntil = clock.instant().plus(QUIET);
        }
    }

    private int tellSome(Transaction tx, Rollover rollover) {
        String root = Certificates.fingerprint(
                ca.authorities().find(rollover.newAuthority()).orElseThrow().certificate());
        long since = Duration.between(rollover.startedAt(), tx.now()).toMillis();
        long due = 1 + since * rollover.perHour() / Duration.ofHours(1).toMillis();
        int allowed = Math.clamp(due - TrustStore.countTold(tx.sql(), root), 0, MOST_AT_ONCE);
        if (allowed == 0) {
            return 0;
        }
        List<DeviceRef> devices = TrustStore.untold(tx.sql(), root, tx.now(), allowed);
        for (DeviceRef device : devices) {
            commands.change(
                    tx,
                    device,
                    state -> named(state, root),
                    "there is a root to learn: rollover " + rollover.id(),
                    SELF);
            TrustStore.told(tx.sql(), root, device, tx.now());
        }
        return devices.size();
    }

    /// The key is this room's: one root is introduced at a time.
    private static ObjectNode named(ObjectNode state, String root) {
        state.putObject("trust").putArray("roots").add(root);
        return state;
    }
}
