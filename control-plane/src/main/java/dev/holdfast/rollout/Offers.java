package dev.holdfast.rollout;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.database.Database;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Release;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Standing;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// What a device is told when it asks, and what becomes of its answers.
final class Offers {
    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final Firmware firmware;
    private final Roster roster;
    private final Judge judge;
    private final Freeze freeze;

    Offers(
            Database database,
            Journal journal,
            Inventory inventory,
            Firmware firmware,
            Roster roster,
            Judge judge,
            Freeze freeze) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.firmware = firmware;
        this.roster = roster;
        this.judge = judge;
        this.freeze = freeze;
    }

    /// The answer from memory; empty when a grant must be tried, which asks the database.
    Optional<Offer> known(DeviceRef device, Instant now) {
        Optional<Roster.Cancel> cancel = roster.cancel(device);
        if (cancel.isPresent()) {
            return Optional.of(
                    new Offer.Cancel(cancel.get().action(), cancel.get().rollout()));
        }
        List<Roster.Active> mine = roster.of(device);
        for (Roster.Active active : mine) {
            Optional<Roster.Member> member = active.member(device);
            if (member.isPresent() && member.get().state().undecided()) {
                return Optional.of(
                        mayHeal(active.row, device)
                                ? current(active, member.get())
                                : new Offer.Nothing("the device may not be updated in its present state"));
            }
        }
        return mine.stream().anyMatch(active -> obstacle(active, device, now).isEmpty())
                ? Optional.empty()
                : Optional.of(new Offer.Nothing(mine.stream()
                        .findFirst()
                        .flatMap(active -> obstacle(active, device, now))
                        .orElse("no rollout concerns this device")));
    }

    private Offer current(Roster.Active active, Roster.Member member) {
        if (!active.row.serving() || freeze.isFrozen()) {
            return new Offer.Nothing("rollout " + active.row.id() + " is paused");
        }
        return member.state() == MemberState.INSTALLED
                ? new Offer.Watched(active.row.id())
                : new Offer.Update(
                        member.action(), active.row.id(), active.row.plan().release());
    }

    /// Why this rollout has nothing for the device now; empty when it may have.
    private Optional<String> obstacle(Roster.Active active, DeviceRef device, Instant now) {
        RolloutRow row = active.row;
        Optional<Roster.Member> member = active.member(device);
        if (freeze.isFrozen()) {
            return Optional.of("the server was restored from a backup and is frozen");
        }
        if (member.isEmpty() || member.get().state() != MemberState.PENDING) {
            return Optional.of("rollout " + row.id() + " has nothing more for this device");
        }
        if (!row.serving()) {
            return Optional.of("rollout " + row.id() + " is "
                    + (row.frozen() ? "frozen" : row.state().text()));
        }
        if (member.get().batch() > row.batch()) {
            return Optional.of("its batch has not begun");
        }
        Optional<Standing> standing = inventory.directory().find(device);
        if (standing.isEmpty() || !standing.get().state().mayConnect()) {
            return Optional.of("the device may not connect");
        }
        if (standing.get().state() == Lifecycle.QUARANTINED && !row.plan().healing()) {
            return Optional.of("the device is quarantined and the rollout is not marked healing");
        }
        if (row.kind() == RolloutRow.Kind.UPDATE && !windowOpen(row.plan(), device, standing.get(), now)) {
            return Optional.of("outside the maintenance window of its site");
        }
        return Optional.empty();
    }

    /// A quarantined device reaches only what heals it, also when it was offered something else before.
    private boolean mayHeal(RolloutRow row, DeviceRef device) {
        return inventory
                .directory()
                .find(device)
                .filter(s -> s.state().mayConnect())
                .filter(s -> row.plan().healing() || s.state() != Lifecycle.QUARANTINED)
                .isPresent();
    }

    /// A site without windows is always open; a cure does not wait for one.
    private boolean windowOpen(Plan plan, DeviceRef device, Standing standing, Instant now) {
        MaintenanceWindow own = plan.window();
        if (own != null && !own.open(now)) {
            return false;
        }
        List<MaintenanceWindow> windows = standing.labels()
                .get("site")
                .map(site -> roster.windows(device.environment(), site))
                .orElse(List.of());
        return windows.isEmpty() || windows.stream().anyMatch(w -> w.open(now));
    }

    /// The answer; may grant, so it may block.
    Offer offer(DeviceRef device, Instant now) {
        Optional<Offer> known = known(device, now);
        if (known.isPresent()) {
            return known.get();
        }
        for (Roster.Active active : roster.of(device)) {
            if (obstacle(active, device, now).isEmpty()) {
                Optional<Offer> granted = grant(active, device);
                if (granted.isPresent()) {
                    return granted.get();
                }
            }
        }
        return new Offer.Nothing("as many devices as the cap allows are undecided");
    }

    private Optional<Offer> grant(Roster.Active active, DeviceRef device) {
        RolloutRow row = active.row;
        int batch = active.member(device).map(Roster.Member::batch).orElse(Integer.MAX_VALUE);
        if (alreadyThere(row, device)) {
            journal.run(tx -> skip(tx, row, device));
            roster.refresh(row.id(), device);
            return Optional.empty();
        }
        boolean granted = journal.commit(tx -> grant(tx, row, device, batch));
        roster.refresh(row.id(), device);
        return granted
                ? active.member(device)
                        .filter(m -> m.state() == MemberState.OFFERED)
                        .map(m -> new Offer.Update(
                                m.action(), row.id(), row.plan().release()))
                : Optional.empty();
    }

    /// The slot first, by one conditional update; then the device, which has it only while it was pending.
    private static boolean grant(Transaction tx, RolloutRow row, DeviceRef device, int batch) {
        if (!RolloutStore.takeSlot(tx.sql(), row.id(), row.epoch(), batch)) {
            return false;
        }
        if (!MemberStore.offer(
                tx.sql(),
                row.id(),
                device,
                tx.now(),
                row.plan().batches().get(batch).timeout())) {
            RolloutStore.giveSlotBack(tx.sql(), row.id());
            return false;
        }
        MemberRow member = MemberStore.find(tx.sql(), row.id(), device).orElseThrow();
        RolloutStore.count(tx.sql(), row.id(), batch, MemberState.PENDING, MemberState.OFFERED);
        tx.record(new Entry(
                "rollout.device-offered",
                device.environment(),
                Inventory.subject(device),
                Members.SYSTEM,
                "granted in batch " + row.plan().batches().get(batch).name(),
                Map.of(
                        "rollout", row.id(),
                        "epoch", row.epoch(),
                        "action", member.action(),
                        "batch", batch,
                        "release", row.plan().release(),
                        "state", MemberState.OFFERED.text())));
        return true;
    }

    /// A way back is not skipped on the word of a report older than the exposure: the new image may boot later.
    private boolean alreadyThere(RolloutRow row, DeviceRef device) {
        Optional<Device> found = inventory.find(device);
        Optional<FirmwareVersion> target =
                firmware.release(row.plan().release()).map(Release::version);
        if (found.isEmpty() || target.isEmpty() || !found.get().firmware().equals(target)) {
            return false;
        }
        if (row.kind() == RolloutRow.Kind.UPDATE || row.parent().isEmpty()) {
            return true;
        }
        Instant reported = found.get().firmwareAt().orElse(Instant.MIN);
        return database.read(sql -> MemberStore.find(sql, row.parent().get(), device))
                .flatMap(MemberRow::exposedAt)
                .filter(reported::isAfter)
                .isPresent();
    }

    private static void skip(Transaction tx, RolloutRow row, DeviceRef device) {
        if (RolloutStore.lock(tx.sql(), row.id()).filter(RolloutRow::serving).isEmpty()) {
            return;
        }
        MemberStore.find(tx.sql(), row.id(), device)
                .filter(m -> m.state() == MemberState.PENDING)
                .ifPresent(m ->
                        Members.move(tx, m, MemberState.SKIPPED, "it reports this version already", Members.SYSTEM));
    }

    /// The particulars of an action that the device may still carry out.
    Optional<Offer.Work> work(DeviceRef device, long action) {
        return database.read(sql -> MemberStore.byAction(sql, action)
                        .filter(m -> m.device().equals(device))
                        .filter(m -> m.state().undecided() && m.state() != MemberState.INSTALLED)
                        .flatMap(m -> RolloutStore.find(sql, m.rollout())
                                .filter(row -> row.serving() && !freeze.isFrozen() && mayHeal(row, device))))
                .flatMap(row -> firmware.release(row.plan().release())
                        .map(release -> new Offer.Work(action, row.id(), row.epoch(), release)));
    }

    boolean isUndecided(DeviceRef device) {
        return roster.of(device).stream()
                .anyMatch(
                        a -> a.member(device).filter(m -> m.state().undecided()).isPresent());
    }

    /// Whether the action is this device's.
    boolean owns(DeviceRef device, long action) {
        return database.read(sql -> MemberStore.byAction(sql, action))
                .filter(m -> m.device().equals(device))
                .isPresent();
    }

    /// The device's own action under which it may fetch this release now.
    Optional<Offer.Work> workOn(DeviceRef device, long release) {
        for (Roster.Active active : roster.of(device)) {
            if (active.row.plan().release() == release) {
                Optional<Offer.Work> work = active.member(device).flatMap(m -> work(device, m.action()));
                if (work.isPresent()) {
                    return work;
                }
            }
        }
        return Optional.empty();
    }

    void downloading(DeviceRef device, Offer.Work work) {
        if (roster.of(device).stream()
                .anyMatch(a -> a.row.id() == work.rollout()
                        && a.member(device)
                                .filter(m -> m.state() == MemberState.OFFERED)
                                .isPresent())) {
            journal.run(tx -> {
                if (RolloutStore.lock(tx.sql(), work.rollout())
                        .filter(RolloutRow::serving)
                        .isPresent()) {
                    MemberStore.find(tx.sql(), work.rollout(), device)
                            .filter(m -> m.state() == MemberState.OFFERED)
                            .ifPresent(m -> Members.move(
                                    tx, m, MemberState.DOWNLOADING, "the download began", Members.by(device)));
                }
            });
        }
    }

    /// Counts the device as exposed, before the last bytes of the image leave.
    ///
    /// @return false when the rollout has stopped, so that they must not leave
    boolean expose(DeviceRef device, Offer.Work work) {
        return journal.commit(tx -> {
            Optional<RolloutRow> row = RolloutStore.lock(tx.sql(), work.rollout())
                    .filter(RolloutRow::serving)
                    .filter(r -> r.epoch() == work.epoch());
            Optional<MemberRow> member = MemberStore.find(tx.sql(), work.rollout(), device)
                    .filter(m -> m.action() == work.action() && m.state().undecided());
            if (row.isEmpty() || member.isEmpty()) {
                return false;
            }
            Members.expose(tx, member.get(), Members.by(device));
            if (member.get().state() == MemberState.OFFERED || member.get().state() == MemberState.DOWNLOADING) {
                Members.move(tx, member.get(), MemberState.DOWNLOADED, "it holds the image", Members.by(device));
            }
            return true;
        });
    }

    /// Takes down what the device says; accepted in whatever order it comes.
    ///
    /// @return false when the action is not this device's
    boolean feedback(DeviceRef device, long action, Feedback feedback) {
        return journal.commit(tx -> {
            Optional<MemberRow> first = MemberStore.byAction(tx.sql(), action)
                    .filter(m -> m.device().equals(device));
            if (first.isEmpty()) {
                return false;
            }
            RolloutRow row = RolloutStore.lock(tx.sql(), first.get().rollout()).orElseThrow();
            MemberRow member = MemberStore.byAction(tx.sql(), action).orElseThrow();
            MemberStore.addFeedback(tx.sql(), action, feedback, tx.now());
            if (member.state().undecided()) {
                undecided(tx, row, member, feedback);
            } else {
                late(tx, row, member, feedback);
            }
            return true;
        });
    }

    private void undecided(Transaction tx, RolloutRow row, MemberRow member, Feedback feedback) {
        var by = Members.by(member.device());
        switch (feedback.phase()) {
            case PROCEEDING, CANCELLATION_REJECTED -> {}
            case DOWNLOADED -> {
                Members.expose(tx, member, by);
                if (member.state() == MemberState.OFFERED || member.state() == MemberState.DOWNLOADING) {
                    Members.move(tx, member, MemberState.DOWNLOADED, "it says it has the image", by);
                }
            }
            case SUCCEEDED -> {
                Members.expose(tx, member, by);
                if (member.state() != MemberState.INSTALLED) {
                    Members.move(tx, member, MemberState.INSTALLED, "it says it has installed", by);
                }
            }
            case FAILED, CANCELLED -> {
                String what = feedback.phase() == Feedback.Phase.FAILED ? "it reported a failure" : "it gave up";
                String reason = feedback.details().isBlank() ? what : what + ": " + feedback.details();
                if (Members.move(tx, member, MemberState.FAILED, reason, by)) {
                    judge.gate(tx, row.id(), member.batch());
                }
            }
        }
    }

    /// After the stop: the device forgets the action, or turns out to be exposed and joins the way back.
    private static void late(Transaction tx, RolloutRow row, MemberRow member, Feedback feedback) {
        boolean asked = member.cancel().filter(c -> c == MemberRow.Cancel.ASKED).isPresent();
        switch (feedback.phase()) {
            case PROCEEDING -> {}
            case CANCELLED -> {
                if (asked) {
                    Members.cancelled(tx, member, MemberRow.Cancel.CONFIRMED, Members.by(member.device()));
                }
            }
            case FAILED -> {
                if (asked) {
                    Members.cancelled(tx, member, MemberRow.Cancel.CONFIRMED, Members.by(member.device()));
                }
            }
            case DOWNLOADED, SUCCEEDED, CANCELLATION_REJECTED -> {
                if (asked && feedback.phase() != Feedback.Phase.DOWNLOADED) {
                    Members.cancelled(tx, member, MemberRow.Cancel.REFUSED, Members.by(member.device()));
                }
                exposedLate(tx, row, member);
            }
        }
    }

    static void exposedLate(Transaction tx, RolloutRow row, MemberRow member) {
        if (row.state() != RolloutState.STOPPED && row.state() != RolloutState.ABORTED) {
            return;
        }
        Members.expose(tx, member, Members.by(member.device()));
        RolloutStore.wayBackOf(tx.sql(), row.id()).ifPresent(cure -> {
            if (MemberStore.insertLate(tx.sql(), cure, member.device())) {
                RolloutStore.recount(tx.sql(), cure, 1);
                RolloutStore.reopen(tx.sql(), cure, tx.now());
                tx.record(new Entry(
                        "rollout.joined",
                        row.environment(),
                        "rollout:" + cure,
                        Members.SYSTEM,
                        "a device turned out to hold the stopped release",
                        Map.of("rollout", cure, "device", member.device().id().value())));
            }
        });
    }
}
