package dev.holdfast.rollout;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// What operators do to rollouts: begin, pause, resume, abort, finish; the one switch; the windows of a site.
///
/// Each change commits with its journal entry; nodes learn of it from the journal and from the leases they ask for.
public final class RolloutControl {
    private final Rollouts rollouts;
    private final Database database;
    private final Journal journal;
    private final Creation creation;
    private final Stopping stopping;
    private final Judge judge;
    private final Roster roster;
    private final ByteLeases leases;

    RolloutControl(
            Rollouts rollouts,
            Database database,
            Journal journal,
            Creation creation,
            Stopping stopping,
            Judge judge,
            Roster roster,
            ByteLeases leases) {
        this.rollouts = rollouts;
        this.database = database;
        this.journal = journal;
        this.creation = creation;
        this.stopping = stopping;
        this.judge = judge;
        this.roster = roster;
        this.leases = leases;
    }

    /// Begins a rollout.
    ///
    /// @param plan without `previous` the way back is the release of the model's last finished rollout,
    /// where its security counter is the same
    /// @throws RolloutDenied with the reason
    public RolloutView create(Plan plan, String reason, Actor actor) {
        long id = creation.create(plan, reason, actor);
        roster.reload(id);
        leases.hurry();
        return rollouts.get(id).orElseThrow();
    }

    /// Takes a release out of use for good.
    ///
    /// @throws RolloutDenied while a rollout hands it out
    public void withdraw(long release, String reason, Actor actor) {
        creation.withdraw(release, reason, actor);
    }

    /// No more grants and no more bytes until [#resume]; undecided devices keep their place and lose no time.
    public void pause(long id, String reason, Actor actor) {
        journal.run(tx -> {
            RolloutRow row = require(tx.sql(), id, RolloutState.RUNNING);
            Stopping.pause(tx, row, reason, actor);
        });
        roster.reload(id);
    }

    public void resume(long id, String reason, Actor actor) {
        journal.run(tx -> {
            RolloutRow row = require(tx.sql(), id, RolloutState.PAUSED);
            RolloutStore.setState(tx.sql(), id, RolloutState.RUNNING, reason, tx.now());
            RolloutStore.clearStop(tx.sql(), id);
            MemberStore.extendDeadlines(tx.sql(), id, Duration.between(row.stateSince(), tx.now()));
            tx.record(new Entry(
                    "rollout.resumed", row.environment(), row.subject(), actor, reason, Map.of("rollout", id)));
        });
        roster.reload(id);
    }

    /// Stops for good; like a failing gate, but the release is not halted.
    ///
    /// @param wayBack whether exposed devices go back to the previous release
    public void abort(long id, boolean wayBack, String reason, Actor actor) {
        Optional<Long> cure = journal.commit(tx -> {
            RolloutRow row = require(tx.sql(), id, RolloutState.RUNNING, RolloutState.PAUSED);
            return stopping.stop(tx, row, RolloutState.ABORTED, reason, false, wayBack, actor);
        });
        roster.reload(id);
        cure.ifPresent(roster::reload);
    }

    /// Ends a rollout whose last devices don't come; what is undecided must be decided first.
    public void finish(long id, String reason, Actor actor) {
        journal.run(tx -> {
            RolloutRow row = require(tx.sql(), id, RolloutState.RUNNING);
            if (row.undecided() > 0) {
                throw new RolloutDenied(
                        RolloutDenied.Reason.NOT_IN_THIS_STATE, row.undecided() + " devices are undecided");
            }
            judge.finish(tx, row, reason, actor);
        });
        roster.reload(id);
    }

    private static RolloutRow require(org.jooq.DSLContext sql, long id, RolloutState... allowed) {
        RolloutRow row = RolloutStore.lock(sql, id)
                .orElseThrow(
                        () -> new RolloutDenied(RolloutDenied.Reason.ROLLOUT_UNKNOWN, "there is no rollout " + id));
        if (!List.of(allowed).contains(row.state())) {
            throw new RolloutDenied(
                    RolloutDenied.Reason.NOT_IN_THIS_STATE,
                    "rollout " + id + " is " + row.state().text() + ": " + row.stateReason());
        }
        return row;
    }

    /// The one switch.
    ///
    /// @param inEffectEverywhere whether every node has put its last change to "off" into effect
    public record Switch(boolean enabled, String reason, Instant changedAt, boolean inEffectEverywhere) {}

    public Switch globalSwitch() {
        return database.read(sql -> {
            RolloutStore.Switch now = RolloutStore.readSwitch(sql);
            boolean everywhere = LeaseStore.unconfirmed(sql, now.stopSequence(), ByteLeases.LENGTH.toMillis() / 1000.0)
                    .isEmpty();
            return new Switch(now.enabled(), now.reason(), now.changedAt(), everywhere);
        });
    }

    /// Off: no grant and no byte of any rollout, cures included, in any environment, until it is on again.
    ///
    /// @param environment under which it is journalled
    /// @return whether that changed anything
    public boolean setGlobalSwitch(boolean enabled, String reason, Environment environment, Actor actor) {
        return journal.commit(tx -> Stopping.turnSwitch(tx, enabled, reason, environment, actor));
    }

    /// When devices whose label `site` has this value may be updated; an empty list means always.
    public void setWindows(
            Environment environment, String site, List<MaintenanceWindow> windows, String reason, Actor actor) {
        if (!site.matches("[A-Za-z0-9._ -]{1,63}") || windows.size() > 50) {
            throw new IllegalArgumentException("a site is a label value, and has at most 50 windows");
        }
        journal.run(tx -> {
            RolloutStore.putWindows(tx.sql(), environment, site, windows);
            tx.record(new Entry(
                    "rollout.window-set",
                    environment,
                    "site:" + site,
                    actor,
                    reason,
                    Map.of("site", site, "windows", windows.size())));
        });
    }

    /// The windows of each site that has some.
    public Map<String, List<MaintenanceWindow>> windows(Environment environment) {
        String prefix = environment + "/";
        Map<String, List<MaintenanceWindow>> mine = new TreeMap<>();
        database.read(RolloutStore::windows).forEach((site, windows) -> {
            if (site.startsWith(prefix) && !windows.isEmpty()) {
                mine.put(site.substring(prefix.length()), windows);
            }
        });
        return mine;
    }
}
