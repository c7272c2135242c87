package dev.holdfast.rollout;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Digest;
import dev.holdfast.core.Selector;
import dev.holdfast.database.Database;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Release;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Transaction;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/// Checks a plan, chooses its devices, and puts each into its batch.
final class Creation {
    private static final int PAGE = 10_000;

    private final Database database;
    private final Journal journal;
    private final Inventory inventory;
    private final Firmware firmware;

    Creation(Database database, Journal journal, Inventory inventory, Firmware firmware) {
        this.database = database;
        this.journal = journal;
        this.inventory = inventory;
        this.firmware = firmware;
    }

    long create(Plan wish, String reason, Actor actor) {
        Release release = firmware.release(wish.release())
                .filter(r -> r.environment().equals(wish.environment()))
                .orElseThrow(() -> unknown(wish.release()));
        requireFit(wish, release);
        Plan plan = withWayBack(wish, release);
        List<MemberStore.Assignment> assignments = assign(plan, population(plan));
        if (assignments.isEmpty()) {
            throw new RolloutDenied(
                    RolloutDenied.Reason.NO_DEVICE_MATCHES,
                    "no device of model " + plan.model() + " in service matches '" + plan.selector() + "'");
        }
        return journal.commit(tx -> insert(tx, plan, assignments, release, reason, actor));
    }

    /// Takes a release out of use for good, unless a rollout, or a way back, is handing it out.
    void withdraw(long release, String reason, Actor actor) {
        journal.run(tx -> {
            Release locked = firmware.lock(tx, release).orElseThrow(() -> unknown(release));
            List<Long> users = RolloutStore.activeWithRelease(tx.sql(), release, 0);
            if (!users.isEmpty()) {
                throw new RolloutDenied(
                        RolloutDenied.Reason.NOT_IN_THIS_STATE,
                        "rollout " + users.getFirst() + " is handing it out: abort it first");
            }
            if (!firmware.setState(tx, release, Release.State.WITHDRAWN, reason, actor)) {
                throw new RolloutDenied(
                        RolloutDenied.Reason.NOT_IN_THIS_STATE,
                        "release " + release + " is " + locked.state().text() + " already");
            }
        });
    }

    private static RolloutDenied unknown(long release) {
        return new RolloutDenied(RolloutDenied.Reason.RELEASE_UNKNOWN, "there is no release " + release);
    }

    private static void requireFit(Plan plan, Release release) {
        if (!release.model().equals(plan.model())) {
            throw new RolloutDenied(
                    RolloutDenied.Reason.RELEASE_NOT_FOR_THIS_MODEL,
                    "release " + release.id() + " is for model " + release.model());
        }
        requireUsable(release);
    }

    private static void requireUsable(Release release) {
        if (release.state() == Release.State.HALTED || release.state() == Release.State.WITHDRAWN) {
            throw new RolloutDenied(
                    RolloutDenied.Reason.RELEASE_HALTED_OR_WITHDRAWN,
                    "release " + release.id() + " is " + release.state().text() + ": " + release.stateReason());
        }
        if (!release.mayBeRolledOut()) {
            throw new RolloutDenied(
                    RolloutDenied.Reason.RELEASE_NEEDS_APPROVAL,
                    "release " + release.id() + " is irreversible: a person must approve it first");
        }
    }

    /// The way back has the same security counter, or there is none: devices refuse a lower one.
    private Plan withWayBack(Plan plan, Release release) {
        Long wanted = plan.previous();
        if (wanted != null) {
            Release previous = firmware.release(wanted)
                    .filter(r -> r.environment().equals(plan.environment())
                            && r.model().equals(plan.model()))
                    .orElseThrow(() -> unknown(wanted));
            if (previous.securityCounter() != release.securityCounter()) {
                throw new RolloutDenied(
                        RolloutDenied.Reason.WAY_BACK_HAS_ANOTHER_COUNTER,
                        "the previous release has the security counter " + previous.securityCounter() + ", this one "
                                + release.securityCounter() + ": leave the way back out");
            }
            requireUsable(previous);
            return plan;
        }
        Optional<Release> last = database.read(sql -> RolloutStore.lastFinishedRelease(
                        sql, plan.environment(), plan.model().value(), plan.release()))
                .flatMap(firmware::release)
                .filter(r -> r.securityCounter() == release.securityCounter() && r.mayBeRolledOut());
        return last.map(r -> new Plan(
                        plan.environment(),
                        plan.model(),
                        plan.selector(),
                        plan.release(),
                        r.id(),
                        plan.healing(),
                        plan.window(),
                        plan.batches()))
                .orElse(plan);
    }

    private List<Device> population(Plan plan) {
        List<Selector.Requirement> requirements =
                new ArrayList<>(Selector.parse(plan.selector()).requirements());
        requirements.add(
                new Selector.Requirement.In("model", Set.of(plan.model().value())));
        List<Device> all = new ArrayList<>();
        String after = "";
        List<Device> page;
        do {
            page = inventory.list(plan.environment(), new Selector(requirements), "", after, PAGE);
            page.stream().filter(d -> eligible(d, plan)).forEach(all::add);
            after = page.isEmpty() ? after : page.getLast().ref().id().value();
        } while (page.size() == PAGE);
        // A sample, not the alphabet: the order of a digest, different for each release.
        all.sort(Comparator.comparing(d -> Digest.of((plan.release() + "/" + d.ref()).getBytes(StandardCharsets.UTF_8))
                .hex()));
        return all;
    }

    private static boolean eligible(Device device, Plan plan) {
        return device.state().mayConnect() && (plan.healing() || device.state() != Lifecycle.QUARANTINED);
    }

    static List<MemberStore.Assignment> assign(Plan plan, List<Device> population) {
        Map<Device, Integer> batchOf = new LinkedHashMap<>();
        for (int batch = 0; batch < plan.batches().size(); batch++) {
            Plan.Batch step = plan.batches().get(batch);
            int room = step.count(population.size(), batchOf.size());
            Selector group = Selector.parse(step.group());
            for (Device device : population) {
                if (room > 0 && !batchOf.containsKey(device) && group.matches(device.attributes())) {
                    batchOf.put(device, batch);
                    room--;
                }
            }
        }
        return batchOf.entrySet().stream()
                .map(e -> new MemberStore.Assignment(e.getKey().ref(), e.getValue()))
                .toList();
    }

    private long insert(
            Transaction tx,
            Plan plan,
            List<MemberStore.Assignment> assignments,
            Release release,
            String reason,
            Actor actor) {
        Release locked = firmware.lock(tx, plan.release()).orElseThrow();
        requireUsable(locked);
        if (firmware.floor(tx, locked)
                .filter(floor -> locked.securityCounter() < floor)
                .isPresent()) {
            throw new RolloutDenied(
                    RolloutDenied.Reason.COUNTER_BELOW_FLOOR,
                    "its security counter " + locked.securityCounter() + " is below the model's floor");
        }
        RolloutStore.lockModel(tx.sql(), plan.environment(), plan.model().value());
        List<Long> others =
                RolloutStore.activeOf(tx.sql(), plan.environment(), plan.model().value());
        if (!others.isEmpty() && !plan.healing()) {
            throw new RolloutDenied(
                    RolloutDenied.Reason.ANOTHER_ROLLOUT_OF_THE_MODEL_IS_ACTIVE,
                    "rollout " + others.getFirst() + " of the same model is active: finish or abort it first");
        }
        RolloutStore.lockSwitch(tx.sql());
        long id = RolloutStore.insert(tx.sql(), plan, RolloutRow.Kind.UPDATE, null, "begun", tx.now());
        MemberStore.insert(tx.sql(), id, assignments);
        RolloutStore.recount(tx.sql(), id, plan.batches().size());
        Map<String, Object> body = new TreeMap<>();
        body.put("rollout", id);
        body.put("release", plan.release());
        body.put("version", release.version().value());
        body.put("model", plan.model().value());
        body.put("devices", assignments.size());
        body.put("healing", plan.healing());
        if (plan.previous() != null) {
            body.put("previous", plan.previous());
        }
        tx.record(new Entry("rollout.created", plan.environment(), "rollout:" + id, actor, reason, body));
        return id;
    }
}
