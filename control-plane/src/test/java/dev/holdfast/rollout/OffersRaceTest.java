package dev.holdfast.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.database.Database;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.firmware.Release;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Freeze;
import dev.holdfast.journal.Journal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Grants by many threads on two nodes over one database.
class OffersRaceTest {
    @TempDir
    private Path folder;

    /// A second node's rooms on the fleet's database.
    private static final class Node implements AutoCloseable {
        final Database database;
        final Journal journal;
        final Inventory inventory;
        final Rollouts rollouts;

        Node(Fleet fleet, Path folder) {
            database = Database.open(fleet.database.address(), 8);
            journal = Journal.open(database, fleet.clock);
            inventory = new Inventory(database, journal);
            Firmware firmware = new Firmware(database, journal, inventory, folder, 1 << 20);
            rollouts = new Rollouts(
                    database,
                    journal,
                    inventory,
                    firmware,
                    (_, _) -> HealthSource.Health.UNKNOWN,
                    Freeze.open(database, journal),
                    "second",
                    fleet.clock,
                    System::nanoTime,
                    false);
            journal.startTail();
            inventory.load();
            rollouts.start();
        }

        @Override
        public void close() {
            rollouts.close();
            journal.close();
            database.close();
        }
    }

    private static int undecided(Fleet fleet, long id) {
        return fleet.database.<Integer>read(sql -> sql.fetchSingle(
                        "select count(*) from rollout_device where rollout = ? and state in"
                                + " ('offered','downloading','downloaded','installed')",
                        id)
                .get(0, Integer.class));
    }

    @Test
    void neverMoreThanTheCapAreUndecidedAndNothingIsGrantedAfterAStop() throws Exception {
        long seed = System.nanoTime();
        System.out.println("seed " + seed);
        try (Fleet fleet = new Fleet(false)) {
            List<DeviceRef> devices = fleet.devices(200);
            Release release = fleet.release("1.1", 1, false);
            Plan plan = new Plan(
                    Fleet.ENVIRONMENT,
                    Fleet.MODEL,
                    "",
                    release.id(),
                    null,
                    false,
                    null,
                    List.of(new Plan.Batch(
                            "all", "", "100%", 7, Duration.ZERO, Duration.ZERO, 0.9, Duration.ofHours(1))));
            long id = fleet.rollouts
                    .control()
                    .create(plan, "test", Fleet.OPERATOR)
                    .id();
            try (Node second = new Node(fleet, folder);
                    var threads = Executors.newVirtualThreadPerTaskExecutor()) {
                AtomicInteger granted = new AtomicInteger();
                AtomicInteger most = new AtomicInteger();
                for (int round = 0; round < 3; round++) {
                    List<DeviceRef> order = new ArrayList<>(devices);
                    Collections.shuffle(order, new Random(seed + round));
                    CountDownLatch together = new CountDownLatch(1);
                    List<Future<?>> all = new ArrayList<>();
                    for (DeviceRef device : order) {
                        for (Rollouts node : List.of(fleet.rollouts, second.rollouts)) {
                            all.add(threads.submit(() -> {
                                together.await();
                                if (node.offer(device, fleet.clock.instant()) instanceof Offer.Update update) {
                                    granted.incrementAndGet();
                                    most.accumulateAndGet(undecided(fleet, id), Math::max);
                                    if (granted.get() % 3 == 0) {
                                        // Decided: the slot is free again. Foreign verdicts race with the grants.
                                        node.feedback(
                                                device,
                                                update.action(),
                                                new Feedback(Feedback.Phase.FAILED, "closed", "failure", ""));
                                    }
                                }
                                return true;
                            }));
                        }
                    }
                    together.countDown();
                    for (Future<?> one : all) {
                        one.get(60, TimeUnit.SECONDS);
                    }
                    assertThat(undecided(fleet, id)).isLessThanOrEqualTo(7);
                }
                assertThat(granted.get()).isGreaterThanOrEqualTo(7);
                assertThat(most.get()).isLessThanOrEqualTo(7);
                RolloutView view = fleet.view(id);
                assertThat(view.batches().getFirst().undecided()).isEqualTo(undecided(fleet, id));

                fleet.rollouts.control().abort(id, false, "enough", Fleet.OPERATOR);
                // The second node's memory may not know yet; the database does.
                for (DeviceRef device : devices) {
                    second.rollouts.offer(device, fleet.clock.instant());
                }
                assertThat(undecided(fleet, id)).isZero();
                fleet.settle();
                for (DeviceRef device : devices) {
                    assertThat(fleet.rollouts.offer(device, fleet.clock.instant()))
                            .isNotInstanceOf(Offer.Update.class);
                }
                assertThat(undecided(fleet, id)).isZero();
                assertThat(fleet.journal.verify()).isEqualTo(Optional.empty());
            }
        }
    }
}
