package dev.holdfast.agent;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.agent.BootRecord.Attempt;
import dev.holdfast.agent.BootRecord.Verdict;
import dev.holdfast.agent.PowerCutStore.PowerCutException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// The power goes at every write of an update, and at several: the device always boots, only ever runs what was
/// signed or what it was made with, and in the end tells the truth about the update.
class PowerCutTest {
    private static final byte[] FACTORY = Bench.image("1.0.0", 3_000);
    private static final byte[] NEXT = Bench.image("2.0.0", 5_000);
    private static final byte[] MANIFEST = Bench.manifest("2.0.0", 4, NEXT);
    private static final int CHUNK = 700;
    private static final int MOST_STARTS = 60;

    /// How an update ended, as the server hears it.
    private record Told(Verdict verdict, String running) {}

    private static final class Device {
        private final MemoryDeviceStore flash = new MemoryDeviceStore();
        private final SplittableRandom random;
        private final boolean newFirmwareCrashes;
        private final List<Told> told = new ArrayList<>();
        private int writes;
        private int starts;

        Device(SplittableRandom random, boolean newFirmwareCrashes) throws IOException {
            this.random = random;
            this.newFirmwareCrashes = newFirmwareCrashes;
            Agent.manufacture(flash, "1.0.0", FACTORY);
        }

        /// One life: from switching on to the end of the update, a reboot, or a power cut.
        ///
        /// @return whether the update has ended and was told
        boolean live(int cutAt) throws IOException {
            starts++;
            PowerCutStore store = new PowerCutStore(flash, cutAt, random);
            try {
                return live(store);
            } catch (PowerCutException e) {
                return false;
            } finally {
                writes = store.writes();
            }
        }

        private boolean live(PowerCutStore store) throws IOException {
            List<java.security.PublicKey> keys = List.of(Bench.RELEASE_KEY.getPublic());
            Bootloader bootloader = new Bootloader(store, Bench.HARDWARE, keys);
            Updater updater = new Updater(store, Bench.HARDWARE, keys, bootloader);
            Bootloader.Booted booted = bootloader.boot();
            byte[] running = store.openSlot(booted.slot()).readAllBytes();
            assertThat(running).isIn((Object) FACTORY, NEXT);
            assertThat(Arrays.equals(running, NEXT)).isEqualTo(booted.version().equals("2.0.0"));
            if (newFirmwareCrashes && booted.version().equals("2.0.0")) {
                return false;
            }
            if (booted.onTrial()) {
                bootloader.confirm(booted);
            }
            Optional<Attempt> outcome = updater.outcome();
            if (outcome.isPresent() && outcome.get().verdict() != Verdict.TRYING) {
                told.add(new Told(outcome.get().verdict(), booted.version()));
                updater.forget();
                return true;
            }
            return !(updater.begin("action-1", MANIFEST) instanceof Updater.Begun.Fetch fetch)
                    || !fetch(updater, fetch);
        }

        private boolean fetch(Updater updater, Updater.Begun.Fetch fetch) throws IOException {
            for (int at = (int) fetch.offset(); at < NEXT.length; at += CHUNK) {
                byte[] piece = Arrays.copyOfRange(NEXT, at, Math.min(NEXT.length, at + CHUNK));
                assertThat(updater.accept(fetch.manifest(), piece)).isTrue();
            }
            Updater.Pending pending = Objects.requireNonNull(updater.pending());
            assertThat(updater.finish(pending)).isEmpty();
            return true;
        }

        void settle() throws IOException {
            while (!live(-1)) {
                assertThat(starts).isLessThan(MOST_STARTS);
            }
        }
    }

    private static int writesOfWholeUpdate(boolean crashes) throws IOException {
        Device device = new Device(new SplittableRandom(0), crashes);
        int all = 0;
        boolean done = false;
        while (!done) {
            done = device.live(-1);
            all += device.writes;
            assertThat(device.starts).isLessThan(MOST_STARTS);
        }
        return all;
    }

    @Test
    void endsConfirmedWhereverThePowerIsCut() throws IOException {
        int writes = writesOfWholeUpdate(false);
        System.out.println("measured: a whole update makes " + writes + " writes; the power is cut at each");
        for (int cutAt = 1; cutAt <= writes; cutAt++) {
            for (int seed = 0; seed < 8; seed++) {
                Device device = new Device(new SplittableRandom(seed), false);
                cutOnce(device, cutAt);
                assertThat(device.told)
                        .as("cut at write %d, seed %d", cutAt, seed)
                        .last()
                        .isEqualTo(new Told(Verdict.CONFIRMED, "2.0.0"));
            }
        }
    }

    @Test
    void endsRevertedWhereverThePowerIsCutWhenTheNewFirmwareDoesNotStart() throws IOException {
        int writes = writesOfWholeUpdate(true);
        for (int cutAt = 1; cutAt <= writes; cutAt++) {
            for (int seed = 0; seed < 8; seed++) {
                Device device = new Device(new SplittableRandom(seed), true);
                cutOnce(device, cutAt);
                assertThat(device.told)
                        .as("cut at write %d, seed %d", cutAt, seed)
                        .last()
                        .isEqualTo(new Told(Verdict.GIVEN_UP, "1.0.0"));
            }
        }
    }

    /// The cut falls on the write of that number, counted over all lives.
    private static void cutOnce(Device device, int cutAt) throws IOException {
        int left = cutAt;
        boolean done = false;
        while (!done && left > 0) {
            done = device.live(left);
            left -= device.writes;
            assertThat(device.starts).isLessThan(MOST_STARTS);
        }
        if (!done) {
            device.settle();
        }
    }

    @Test
    void survivesManyPowerCutsInARow() throws IOException {
        long chosen = System.nanoTime();
        System.out.println("seed: " + chosen + " of PowerCutTest.survivesManyPowerCutsInARow");
        SplittableRandom seeds = new SplittableRandom(chosen);
        for (int round = 0; round < 300; round++) {
            SplittableRandom random = seeds.split();
            boolean crashes = random.nextBoolean();
            Device device = new Device(random, crashes);
            boolean done = false;
            for (int cut = 0; cut < 12 && !done; cut++) {
                done = device.live(1 + random.nextInt(20));
            }
            if (!done) {
                device.settle();
            }
            Told end = device.told.getLast();
            // Power cuts may use up the tries of good firmware: then it says so and the old one runs.
            assertThat(end).isIn(new Told(Verdict.GIVEN_UP, "1.0.0"), new Told(Verdict.CONFIRMED, "2.0.0"));
            if (crashes) {
                assertThat(end.verdict()).isEqualTo(Verdict.GIVEN_UP);
            }
        }
    }
}
