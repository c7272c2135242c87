package dev.holdfast.rollout;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.firmware.FirmwareReplay;
import dev.holdfast.firmware.Release;
import dev.holdfast.journal.Recorded;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// One installation goes on after the backup and is lost; another, at the state of the backup, hears what its stream
/// says.
class RolloutReplayTest {
    private final Fleet lost = new Fleet(true);
    private final Fleet restored = new Fleet(true);
    private long backup;
    private long rollout;
    private boolean started;

    @AfterEach
    void close() {
        lost.close();
        restored.rollouts.close();
        restored.close();
    }

    private static long begin(Fleet fleet) {
        fleet.devices(20);
        Release before = fleet.release("1.0", 1, false);
        Release next = fleet.release("1.1", 1, false);
        return fleet.rollouts
                .control()
                .create(
                        Fleet.plan(
                                next,
                                Optional.of(before),
                                Fleet.batch("canary", "10", 10),
                                Fleet.batch("all", "100%", 10)),
                        "test",
                        Fleet.OPERATOR)
                .id();
    }

    private void backUp() {
        rollout = begin(lost);
        assertThat(begin(restored)).isEqualTo(rollout);
        backup = lost.journal.head().number();
    }

    private int merge() {
        restored.clock.advance(Duration.ofDays(1));
        RolloutReplay rollouts = new RolloutReplay(restored.firmware);
        FirmwareReplay firmware = new FirmwareReplay(restored.firmware);
        int changed = 0;
        for (Recorded entry : lost.journal.read(backup, 1_000)) {
            changed += restored.journal.commit(tx -> {
                        boolean one = rollouts.replay(tx, entry);
                        boolean other = firmware.replay(tx, entry);
                        return one || other;
                    })
                    ? 1
                    : 0;
        }
        if (!started) {
            restored.rollouts.start();
            started = true;
        }
        restored.settle();
        return changed;
    }

    @Test
    void aReleaseStoppedAfterTheBackupIsStoppedAndHaltedAgainAndItsWayBackReachesWhoWasExposed() {
        backUp();
        List<DeviceRef> exposed = IntStream.range(0, 20)
                .mapToObj(Fleet::ref)
                .filter(device -> lost.poll(device) instanceof Offer.Update update
                        && lost.download(device, update)
                        && lost.say(device, update.action(), Feedback.Phase.FAILED))
                .toList();
        assertThat(exposed).isNotEmpty();
        lost.tick();
        assertThat(lost.view(rollout).state()).isEqualTo(RolloutState.STOPPED);

        assertThat(merge()).isPositive();
        RolloutView again = restored.view(rollout);
        assertThat(again.state()).isEqualTo(RolloutState.STOPPED);
        assertThat(again.exposed()).isEqualTo(lost.view(rollout).exposed());
        assertThat(restored.firmware
                        .release(again.plan().release())
                        .orElseThrow()
                        .state())
                .isEqualTo(Release.State.HALTED);
        assertThat(exposed).allSatisfy(device -> {
            assertThat(restored.poll(device)).isInstanceOf(Offer.Update.class);
            assertThat(((Offer.Update) restored.poll(device)).rollout()).isNotEqualTo(rollout);
        });
        Optional<DeviceRef> untouched = IntStream.range(0, 20)
                .mapToObj(Fleet::ref)
                .filter(device -> !exposed.contains(device))
                .findFirst();
        assertThat(restored.poll(untouched.orElseThrow())).isInstanceOf(Offer.Nothing.class);
        assertThat(merge()).as("a second time changes nothing").isZero();
        assertThat(restored.journal.verify()).isEmpty();
    }

    @Test
    void thePausedStaysPausedAndTheSwitchThatWasTurnedOffIsOffEvenWhereBothWereTakenBackLater() {
        backUp();
        lost.rollouts.control().pause(rollout, "looks odd", Fleet.OPERATOR);
        lost.rollouts.control().resume(rollout, "it was nothing", Fleet.OPERATOR);
        lost.rollouts.control().setGlobalSwitch(false, "storm", Fleet.ENVIRONMENT, Fleet.OPERATOR);
        lost.rollouts.control().setGlobalSwitch(true, "the storm is over", Fleet.ENVIRONMENT, Fleet.OPERATOR);

        assertThat(merge()).isEqualTo(2);
        assertThat(restored.view(rollout).state()).isEqualTo(RolloutState.PAUSED);
        assertThat(restored.rollouts.control().globalSwitch().enabled()).isFalse();
        assertThat(restored.rollouts.control().globalSwitch().reason()).isEqualTo("again after a restore: storm");
        assertThat(restored.poll(Fleet.ref(0))).isInstanceOf(Offer.Nothing.class);
    }

    @Test
    void anAbortedRolloutIsAbortedAgainAndNumbersGivenOutAreNotGivenAgain() {
        backUp();
        Offer.Update given = IntStream.range(0, 20)
                .mapToObj(n -> lost.poll(Fleet.ref(n)))
                .flatMap(offer -> offer instanceof Offer.Update update ? Stream.of(update) : Stream.empty())
                .reduce((_, last) -> last)
                .orElseThrow();
        lost.rollouts.control().abort(rollout, false, "wrong plan", Fleet.OPERATOR);

        assertThat(merge()).isEqualTo(1);
        assertThat(restored.view(rollout).state()).isEqualTo(RolloutState.ABORTED);
        Release release = restored.release("1.2", 1, false);
        restored.rollouts
                .control()
                .create(Fleet.plan(release, Optional.empty(), Fleet.batch("all", "100%", 50)), "test", Fleet.OPERATOR);
        assertThat(((Offer.Update) restored.poll(Fleet.ref(1))).action()).isGreaterThan(given.action());
    }
}
