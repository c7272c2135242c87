package dev.holdfast.rollout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Labels;
import dev.holdfast.firmware.Release;
import dev.holdfast.inventory.Lifecycle;
import java.time.DayOfWeek;
import java.time.Duration;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class RolloutTest {
    private Fleet fleet = new Fleet(true);

    @AfterEach
    void close() {
        fleet.close();
    }

    private long begin(Release release, Optional<Release> previous, Plan.Batch... batches) {
        return fleet.rollouts
                .control()
                .create(Fleet.plan(release, previous, batches), "test", Fleet.OPERATOR)
                .id();
    }

    private long offered(List<DeviceRef> devices) {
        return devices.stream()
                .filter(d -> fleet.poll(d) instanceof Offer.Update)
                .count();
    }

    @Test
    void aGoodReleaseReachesEveryoneBatchByBatch() {
        List<DeviceRef> devices = fleet.devices(20);
        Release release = fleet.release("1.1", 1, false);
        long id = begin(release, Optional.empty(), Fleet.batch("canary", "2", 10), Fleet.batch("all", "100%", 50));

        assertThat(devices.stream().filter(d -> fleet.update(d, "1.1")).count()).isEqualTo(2);
        fleet.tick();
        assertThat(fleet.view(id).batches().getFirst().undecided())
                .as("in soak")
                .isEqualTo(2);
        assertThat(offered(devices)).as("installed is not healthy").isZero();

        fleet.clock.advance(Duration.ofMinutes(11));
        fleet.tick();
        assertThat(fleet.view(id).batch()).isEqualTo(1);
        assertThat(devices.stream().filter(d -> fleet.update(d, "1.1")).count()).isEqualTo(18);
        fleet.tick();
        fleet.clock.advance(Duration.ofMinutes(11));
        fleet.tick();
        RolloutView done = fleet.view(id);
        assertThat(done.state()).isEqualTo(RolloutState.FINISHED);
        assertThat(done.exposed()).isEqualTo(20);
        assertThat(done.batches()).extracting(RolloutView.BatchView::healthy).containsExactly(2, 18);
        assertThat(fleet.journal.verify()).isEmpty();
    }

    @Test
    void theCapCountsDevicesInSoak() {
        List<DeviceRef> devices = fleet.devices(20);
        Release release = fleet.release("1.1", 1, false);
        begin(release, Optional.empty(), Fleet.batch("all", "100%", 3));
        assertThat(devices.stream().filter(d -> fleet.update(d, "1.1")).count()).isEqualTo(3);
        fleet.tick();
        assertThat(offered(devices)).isZero();
        fleet.clock.advance(Duration.ofMinutes(11));
        fleet.tick();
        assertThat(offered(devices)).isEqualTo(3);
    }

    /// The canary of ten allows one failure; four devices hold the image when the second fails.
    private record Stopped(long id, List<DeviceRef> devices, List<Offer.Update> offers, List<DeviceRef> canary) {}

    private Stopped stop(Optional<Release> previous, Release bad) {
        List<DeviceRef> devices = fleet.devices(40);
        long id = begin(bad, previous, Fleet.batch("canary", "10", 6), Fleet.batch("all", "100%", 50));
        List<DeviceRef> canary = new ArrayList<>();
        List<Offer.Update> offers = new ArrayList<>();
        for (DeviceRef device : devices) {
            if (fleet.poll(device) instanceof Offer.Update update) {
                canary.add(device);
                offers.add(update);
            }
        }
        assertThat(canary).hasSize(6);
        for (int i = 0; i < 4; i++) {
            assertThat(fleet.download(canary.get(i), offers.get(i))).isTrue();
        }
        fleet.say(canary.get(0), offers.get(0).action(), Feedback.Phase.FAILED);
        fleet.say(canary.get(1), offers.get(1).action(), Feedback.Phase.SUCCEEDED);
        assertThat(fleet.view(id).state()).isEqualTo(RolloutState.RUNNING);
        fleet.say(canary.get(2), offers.get(2).action(), Feedback.Phase.FAILED);
        fleet.settle();
        return new Stopped(id, devices, offers, canary);
    }

    @Test
    void aBadReleaseIsStoppedWithTheFailureThatProvesItAndTheExposedGoBack() {
        List<RolloutStopped> news = new CopyOnWriteArrayList<>();
        fleet.rollouts.onStopped(news::add);
        Release good = fleet.release("1.0", 1, false);
        Release bad = fleet.release("1.1", 1, false);
        Stopped stopped = stop(Optional.of(good), bad);

        RolloutView view = fleet.view(stopped.id());
        assertThat(view.state()).isEqualTo(RolloutState.STOPPED);
        assertThat(view.exposed()).isEqualTo(4);
        assertThat(view.batches().getFirst())
                .returns(2, RolloutView.BatchView::failed)
                .returns(2, RolloutView.BatchView::withdrawn)
                .returns(2, RolloutView.BatchView::recalled)
                .returns(0, RolloutView.BatchView::undecided);
        assertThat(fleet.firmware.release(bad.id()).orElseThrow().state()).isEqualTo(Release.State.HALTED);
        assertThat(news).singleElement().satisfies(n -> {
            assertThat(n.rollout()).isEqualTo(stopped.id());
            assertThat(n.exposed()).isEqualTo(4);
            assertThat(n.version()).isEqualTo("1.1");
            assertThat(n.reason()).contains("canary").contains("2 of 10");
            assertThat(n.wayBack()).isEqualTo(view.wayBack());
        });

        // Withdrawn and recalled devices are asked to forget the action before anything else.
        for (int i = 3; i < 6; i++) {
            DeviceRef device = stopped.canary().get(i);
            long action = stopped.offers().get(i).action();
            assertThat(fleet.poll(device)).isEqualTo(new Offer.Cancel(action, stopped.id()));
            assertThat(fleet.rollouts.work(device, action)).isEmpty();
            fleet.say(device, action, Feedback.Phase.CANCELLED);
        }
        fleet.say(stopped.canary().get(1), stopped.offers().get(1).action(), Feedback.Phase.CANCELLED);

        // Nothing of the bad release for anyone; the previous one for those exposed.
        long wayBack = view.wayBack().orElseThrow();
        int cured = 0;
        for (DeviceRef device : stopped.devices()) {
            Offer offer = fleet.poll(device);
            if (offer instanceof Offer.Update update) {
                assertThat(update.rollout()).isEqualTo(wayBack);
                assertThat(update.release()).isEqualTo(good.id());
                assertThat(stopped.canary().subList(0, 4)).contains(device);
                fleet.runs(device, "1.1");
                fleet.clock.advance(Duration.ofSeconds(1));
                assertThat(fleet.download(device, update)).isTrue();
                fleet.say(device, update.action(), Feedback.Phase.SUCCEEDED);
                fleet.clock.advance(Duration.ofSeconds(1));
                fleet.runs(device, "1.0");
                cured++;
            }
        }
        assertThat(cured).isEqualTo(4);
        fleet.tick();
        fleet.tick();
        assertThat(fleet.view(wayBack).state()).isEqualTo(RolloutState.FINISHED);
        assertThat(fleet.journal.verify()).isEmpty();
    }

    @Test
    void aWithdrawnDeviceThatInstalledAllTheSameJoinsTheWayBack() {
        Release good = fleet.release("1.0", 1, false);
        Stopped stopped = stop(Optional.of(good), fleet.release("1.1", 1, false));
        DeviceRef stubborn = stopped.canary().get(5);
        fleet.say(stubborn, stopped.offers().get(5).action(), Feedback.Phase.CANCELLATION_REJECTED);
        assertThat(fleet.view(stopped.id()).exposed()).isEqualTo(5);
        assertThat(fleet.poll(stubborn))
                .isInstanceOfSatisfying(
                        Offer.Update.class, u -> assertThat(u.release()).isEqualTo(good.id()));
    }

    @Test
    void withoutAWayBackItStopsAndNobodyIsOfferedAnything() {
        Stopped stopped = stop(Optional.empty(), fleet.release("1.1", 1, false));
        RolloutView view = fleet.view(stopped.id());
        assertThat(view.state()).isEqualTo(RolloutState.STOPPED);
        assertThat(view.wayBack()).isEmpty();
        assertThat(view.stateReason()).contains("no release to go back to");
        assertThat(offered(stopped.devices())).isZero();
    }

    @Test
    void withTheGateSwitchedOffABadReleaseGoesOn() {
        fleet.close();
        fleet = new Fleet(false);
        List<DeviceRef> devices = fleet.devices(10);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        for (DeviceRef device : devices) {
            if (fleet.poll(device) instanceof Offer.Update update) {
                fleet.say(device, update.action(), Feedback.Phase.FAILED);
            }
        }
        fleet.tick();
        assertThat(fleet.view(id).state()).isEqualTo(RolloutState.FINISHED);
        assertThat(fleet.view(id).batches().getFirst().failed()).isEqualTo(10);
    }

    @Test
    void feedbackForAnotherDevicesActionChangesNothing() {
        List<DeviceRef> devices = fleet.devices(2);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        Offer.Update mine = (Offer.Update) fleet.poll(devices.get(0));
        for (Feedback.Phase phase : Feedback.Phase.values()) {
            assertThat(fleet.say(devices.get(1), mine.action(), phase)).isFalse();
        }
        assertThat(fleet.rollouts.owns(devices.get(1), mine.action())).isFalse();
        assertThat(fleet.rollouts.work(devices.get(1), mine.action())).isEmpty();
        assertThat(fleet.say(devices.get(1), 999_999, Feedback.Phase.FAILED)).isFalse();
        assertThat(fleet.view(id).batches().getFirst()).returns(0, RolloutView.BatchView::failed);
    }

    @Test
    void whoDoesNotReportTheNewVersionInTimeHasFailed() {
        List<DeviceRef> devices = fleet.devices(3);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        Offer.Update update = (Offer.Update) fleet.poll(devices.get(0));
        fleet.download(devices.get(0), update);
        fleet.clock.advance(Duration.ofMinutes(61));
        fleet.tick();
        assertThat(fleet.rollouts.devices(id, Optional.empty(), Optional.of(MemberState.FAILED), "", 10))
                .singleElement()
                .satisfies(m -> assertThat(m.reason().orElseThrow()).contains("in time"));
        assertThat(fleet.view(id).state()).isEqualTo(RolloutState.STOPPED);
    }

    @Test
    void whileARestoreIsNotSettledNobodyFailsAndAfterwardsEverybodyHasTheirTimeAgain() {
        List<DeviceRef> devices = fleet.devices(3);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        fleet.download(devices.get(0), (Offer.Update) fleet.poll(devices.get(0)));
        fleet.freeze.freeze("restored from a backup", 1, Fleet.OPERATOR);
        fleet.clock.advance(Duration.ofHours(3));
        fleet.tick();
        assertThat(fleet.view(id).state()).isEqualTo(RolloutState.RUNNING);
        for (String person : List.of("ada", "ben")) {
            fleet.freeze.acceptLoss(new Actor.Operator(person), "what was revoked since may be lost");
        }
        fleet.tick();
        fleet.clock.advance(Duration.ofMinutes(59));
        fleet.tick();
        assertThat(fleet.view(id).state()).isEqualTo(RolloutState.RUNNING);
        fleet.clock.advance(Duration.ofMinutes(2));
        fleet.tick();
        assertThat(fleet.view(id).stateReason()).contains("1 of 3 devices failed");
    }

    @Test
    void whoInstalledAndThenReportsTheOldVersionHasFailed() {
        List<DeviceRef> devices = fleet.devices(1);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        assertThat(fleet.update(devices.get(0), "1.0")).isTrue();
        fleet.tick();
        assertThat(fleet.view(id).stateReason()).contains("1 of 1 devices failed");
    }

    @Test
    void aFindingOrLostVersionInTheHealthWindowIsAFailure() {
        List<DeviceRef> devices = fleet.devices(2);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        devices.forEach(d -> fleet.update(d, "1.1"));
        fleet.tick();
        fleet.health.put(
                devices.get(1), new HealthSource.Health(Optional.empty(), Optional.empty(), Optional.of("SILENCE")));
        fleet.tick();
        assertThat(fleet.rollouts.devices(id, Optional.empty(), Optional.of(MemberState.FAILED), "", 10))
                .singleElement()
                .satisfies(m -> assertThat(m.reason().orElseThrow()).contains("SILENCE"));
    }

    @Test
    void pausedNothingMovesAndResumedNoTimeIsLost() {
        List<DeviceRef> devices = fleet.devices(3);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 1));
        Offer.Update update = (Offer.Update) fleet.poll(devices.get(0));
        fleet.rollouts.control().pause(id, "looking at it", Fleet.OPERATOR);
        assertThat(fleet.poll(devices.get(0))).isInstanceOf(Offer.Nothing.class);
        assertThat(fleet.rollouts.work(devices.get(0), update.action())).isEmpty();
        assertThat(offered(devices)).isZero();
        fleet.clock.advance(Duration.ofHours(5));
        fleet.tick();
        fleet.rollouts.control().resume(id, "looks good", Fleet.OPERATOR);
        fleet.tick();
        assertThat(fleet.poll(devices.get(0))).isEqualTo(update);
        assertThat(fleet.download(devices.get(0), update)).isTrue();
        assertThatThrownBy(() -> fleet.rollouts.control().resume(id, "again", Fleet.OPERATOR))
                .isInstanceOfSatisfying(
                        RolloutDenied.class,
                        e -> assertThat(e.reason()).isEqualTo(RolloutDenied.Reason.NOT_IN_THIS_STATE));
    }

    @Test
    void abortedItGoesBackOrNotAsTheOperatorSays() {
        List<DeviceRef> devices = fleet.devices(3);
        Release good = fleet.release("1.0", 1, false);
        Release next = fleet.release("1.1", 1, false);
        long id = begin(next, Optional.of(good), Fleet.batch("all", "100%", 10));
        fleet.update(devices.get(0), "1.1");
        fleet.rollouts.control().abort(id, true, "changed my mind", Fleet.OPERATOR);
        assertThat(fleet.view(id).state()).isEqualTo(RolloutState.ABORTED);
        assertThat(fleet.poll(devices.get(0))).isInstanceOf(Offer.Update.class);
        assertThat(fleet.poll(devices.get(1))).isInstanceOf(Offer.Nothing.class);
        assertThat(fleet.firmware.release(next.id()).orElseThrow().state()).isEqualTo(Release.State.REGISTERED);
    }

    @Test
    void theOneSwitchStopsEverythingTheCureIncluded() {
        Release good = fleet.release("1.0", 1, false);
        Stopped stopped = stop(Optional.of(good), fleet.release("1.1", 1, false));
        fleet.rollouts.control().setGlobalSwitch(false, "all hands", Fleet.ENVIRONMENT, Fleet.OPERATOR);
        fleet.say(stopped.canary().get(1), stopped.offers().get(1).action(), Feedback.Phase.CANCELLED);
        assertThat(offered(stopped.devices())).isZero();
        assertThat(fleet.rollouts.control().globalSwitch().enabled()).isFalse();
        // Nor does a rollout that begins now.
        fleet.release("1.2", 1, false);
        fleet.rollouts.control().setGlobalSwitch(true, "all clear", Fleet.ENVIRONMENT, Fleet.OPERATOR);
        assertThat(offered(stopped.devices())).isPositive();
        assertThat(fleet.journal.about("switch:rollouts", Long.MAX_VALUE, 10)).hasSize(2);
    }

    @Test
    void aRolloutBegunWhileTheSwitchIsOffIsFrozenToo() {
        List<DeviceRef> devices = fleet.devices(2);
        fleet.rollouts.control().setGlobalSwitch(false, "all hands", Fleet.ENVIRONMENT, Fleet.OPERATOR);
        begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        assertThat(offered(devices)).isZero();
        fleet.rollouts.control().setGlobalSwitch(true, "all clear", Fleet.ENVIRONMENT, Fleet.OPERATOR);
        assertThat(offered(devices)).isEqualTo(2);
    }

    @Test
    void aSiteIsUpdatedInItsMaintenanceWindowOnly() {
        List<DeviceRef> north = fleet.devices(1, Map.of("site", "north"));
        List<DeviceRef> south = fleet.devices(1, Map.of("site", "south"));
        fleet.rollouts
                .control()
                .setWindows(
                        Fleet.ENVIRONMENT,
                        "north",
                        List.of(new MaintenanceWindow(
                                EnumSet.allOf(DayOfWeek.class),
                                LocalTime.of(23, 0),
                                Duration.ofHours(3),
                                ZoneOffset.UTC)),
                        "the night shift",
                        Fleet.OPERATOR);
        begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        assertThat(fleet.poll(north.getFirst()))
                .isInstanceOfSatisfying(
                        Offer.Nothing.class, n -> assertThat(n.reason()).contains("maintenance window"));
        assertThat(fleet.poll(south.getFirst())).isInstanceOf(Offer.Update.class);
        fleet.clock.set(fleet.clock
                .instant()
                .truncatedTo(java.time.temporal.ChronoUnit.DAYS)
                .plus(Duration.ofHours(25)));
        assertThat(fleet.poll(north.getFirst())).as("one o'clock at night").isInstanceOf(Offer.Update.class);
    }

    @Test
    void aQuarantinedDeviceGetsHealingReleasesOnly() {
        List<DeviceRef> devices = fleet.devices(2);
        DeviceRef sick = devices.get(0);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        Offer.Update before = (Offer.Update) fleet.poll(sick);
        fleet.inventory.transition(sick, Lifecycle.QUARANTINED, "misbehaves", Optional.empty(), Fleet.OPERATOR);
        assertThat(fleet.poll(sick)).isInstanceOf(Offer.Nothing.class);
        assertThat(fleet.rollouts.work(sick, before.action())).isEmpty();
        fleet.rollouts.control().abort(id, false, "instead a cure", Fleet.OPERATOR);
        fleet.say(sick, before.action(), Feedback.Phase.CANCELLED);
        Release cure = fleet.release("1.2", 1, false);
        fleet.rollouts
                .control()
                .create(
                        new Plan(
                                Fleet.ENVIRONMENT,
                                Fleet.MODEL,
                                "",
                                cure.id(),
                                null,
                                true,
                                null,
                                List.of(Fleet.batch("all", "100%", 10))),
                        "test",
                        Fleet.OPERATOR);
        assertThat(fleet.poll(sick)).isInstanceOf(Offer.Update.class);
    }

    @Test
    void theStagingGroupComesFirstAndTheBatchesCoverEveryone() {
        fleet.devices(30);
        List<DeviceRef> staging = fleet.devices(3, Map.of("group", "staging"));
        Plan.Batch first = new Plan.Batch(
                "staging", "group=staging", "100%", 10, Duration.ZERO, Duration.ZERO, 0, Duration.ofHours(1));
        long id = begin(
                fleet.release("1.1", 1, false),
                Optional.empty(),
                first,
                Fleet.batch("canary", "2", 5),
                Fleet.batch("half", "50%", 5),
                Fleet.batch("all", "100%", 5));
        assertThat(fleet.view(id).batches())
                .extracting(RolloutView.BatchView::size)
                .containsExactly(3, 2, 12, 16);
        assertThat(fleet.rollouts.devices(id, Optional.of(0), Optional.empty(), "", 10))
                .extracting(MemberView::device)
                .containsExactlyInAnyOrderElementsOf(
                        staging.stream().map(DeviceRef::id).toList());
    }

    @Test
    void anIrreversibleReleaseNeedsApprovalHasNoWayBackAndRaisesTheFloor() {
        List<DeviceRef> devices = fleet.devices(1);
        Release old = fleet.release("1.0", 1, false);
        Release next = fleet.release("2.0", 2, true);
        Plan.Batch all = Fleet.batch("all", "100%", 10);
        assertThatThrownBy(() -> begin(next, Optional.empty(), all))
                .isInstanceOfSatisfying(
                        RolloutDenied.class,
                        e -> assertThat(e.reason()).isEqualTo(RolloutDenied.Reason.RELEASE_NEEDS_APPROVAL));
        fleet.firmware.setState(next.id(), Release.State.APPROVED, "checked by two", Fleet.OPERATOR);
        assertThatThrownBy(() -> begin(next, Optional.of(old), all))
                .isInstanceOfSatisfying(
                        RolloutDenied.class,
                        e -> assertThat(e.reason()).isEqualTo(RolloutDenied.Reason.WAY_BACK_HAS_ANOTHER_COUNTER));
        begin(next, Optional.empty(), all);
        fleet.update(devices.getFirst(), "2.0");
        fleet.tick();
        fleet.clock.advance(Duration.ofMinutes(11));
        fleet.tick();
        assertThatThrownBy(() -> fleet.release("1.9", 1, false)).hasMessageContaining("COUNTER_BELOW_FLOOR");
        assertThatThrownBy(() -> begin(old, Optional.empty(), all))
                .isInstanceOfSatisfying(
                        RolloutDenied.class,
                        e -> assertThat(e.reason()).isEqualTo(RolloutDenied.Reason.COUNTER_BELOW_FLOOR));
    }

    @Test
    void aHaltedReleaseIsOfferedByNoOtherRollout() {
        Release bad = fleet.release("1.1", 1, false);
        stop(Optional.empty(), bad);
        assertThatThrownBy(() -> begin(bad, Optional.empty(), Fleet.batch("all", "100%", 10)))
                .isInstanceOfSatisfying(
                        RolloutDenied.class,
                        e -> assertThat(e.reason()).isEqualTo(RolloutDenied.Reason.RELEASE_HALTED_OR_WITHDRAWN));
    }

    @Test
    void devicesThatMayNotConnectDoNotHoldTheLastBatchOpen() {
        List<DeviceRef> devices = fleet.devices(3);
        long id = begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        fleet.update(devices.get(0), "1.1");
        fleet.update(devices.get(1), "1.1");
        fleet.inventory.transition(devices.get(2), Lifecycle.SUSPENDED, "stolen", Optional.empty(), Fleet.OPERATOR);
        fleet.tick();
        fleet.clock.advance(Duration.ofMinutes(11));
        fleet.tick();
        fleet.tick();
        assertThat(fleet.view(id).state()).isEqualTo(RolloutState.FINISHED);
        assertThat(fleet.view(id).batches().getFirst().skipped()).isEqualTo(1);
    }

    @Test
    void onlyOneRolloutOfAModelIsActiveAtATime() {
        fleet.devices(1);
        begin(fleet.release("1.1", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10));
        assertThatThrownBy(
                        () -> begin(fleet.release("1.2", 1, false), Optional.empty(), Fleet.batch("all", "100%", 10)))
                .isInstanceOfSatisfying(
                        RolloutDenied.class,
                        e -> assertThat(e.reason())
                                .isEqualTo(RolloutDenied.Reason.ANOTHER_ROLLOUT_OF_THE_MODEL_IS_ACTIVE));
    }

    @Test
    void labelsNoLongerMatterOnceTheRolloutHasBegun() {
        List<DeviceRef> devices = fleet.devices(2, Map.of("ring", "early"));
        Release release = fleet.release("1.1", 1, false);
        Plan plan = new Plan(
                Fleet.ENVIRONMENT,
                Fleet.MODEL,
                "ring=early",
                release.id(),
                null,
                false,
                null,
                List.of(Fleet.batch("all", "100%", 10)));
        fleet.devices(5);
        long id = fleet.rollouts.control().create(plan, "test", Fleet.OPERATOR).id();
        fleet.inventory.setLabels(devices.getFirst(), Labels.NONE, Fleet.OPERATOR);
        assertThat(fleet.view(id).devices()).isEqualTo(2);
        assertThat(offered(devices)).isEqualTo(2);
    }
}
