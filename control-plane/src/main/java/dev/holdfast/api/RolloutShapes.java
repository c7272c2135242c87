package dev.holdfast.api;

import dev.holdfast.firmware.Release;
import dev.holdfast.rollout.Gate;
import dev.holdfast.rollout.MaintenanceWindow;
import dev.holdfast.rollout.MemberState;
import dev.holdfast.rollout.MemberView;
import dev.holdfast.rollout.Plan;
import dev.holdfast.rollout.RolloutState;
import dev.holdfast.rollout.RolloutView;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Optional;

/// Rollouts as the API shows them.
final class RolloutShapes {
    private RolloutShapes() {}

    /// Where it stands, in one word of the contract.
    static String state(RolloutView rollout, Optional<RolloutView> wayBack) {
        return switch (rollout.state()) {
            case RUNNING -> rollout.frozen() ? "stopped" : "running";
            case PAUSED -> "paused";
            case FINISHED -> "finished";
            case ABORTED -> wayBack.isPresent() ? back(wayBack.get()) : "aborted";
            case STOPPED -> wayBack.isPresent() ? back(wayBack.get()) : "stopped";
        };
    }

    private static String back(RolloutView wayBack) {
        return wayBack.state() == RolloutState.FINISHED ? "rolled-back" : "rolling-back";
    }

    static Fields summary(RolloutView r, Optional<RolloutView> wayBack, Optional<Release> release) {
        return Fields.of("id", Long.toString(r.id()))
                .with("environment", r.plan().environment().value())
                .with("release", Long.toString(r.plan().release()))
                .with("version", release.map(x -> x.version().value()).orElse("?"))
                .with("model", r.plan().model().value())
                .with("state", state(r, wayBack))
                .with("stateReason", r.stateReason())
                .with("sentence", sentence(r, wayBack))
                .with("counts", counts(r, wayBack))
                .with("exposed", r.exposed())
                .with("currentBatch", r.batch())
                .with("batchCount", r.batches().size())
                .with("createdAt", r.createdAt())
                .with("endedAt", r.state().over() ? r.stateSince() : null);
    }

    private static String sentence(RolloutView r, Optional<RolloutView> wayBack) {
        int healthy =
                r.batches().stream().mapToInt(RolloutView.BatchView::healthy).sum();
        String reached = healthy + " of " + r.devices() + " devices are healthy with it";
        return switch (state(r, wayBack)) {
            case "running" -> {
                RolloutView.BatchView batch =
                        r.batches().get(Math.min(r.batch(), r.batches().size() - 1));
                yield "Batch " + (r.batch() + 1) + " of " + r.batches().size() + " (" + batch.name() + "): " + reached
                        + r.waitingFor().map(w -> "; waits for " + w).orElse("") + ".";
            }
            case "paused" -> "Paused: " + r.stateReason() + ". " + reached + ".";
            case "finished" -> "Finished: " + reached + ".";
            case "rolling-back" ->
                "Stopped, and going back: " + r.exposed() + " were exposed. " + r.stateReason() + ".";
            case "rolled-back" -> "Stopped and rolled back: " + r.exposed() + " were exposed. " + r.stateReason() + ".";
            case "aborted" -> "Aborted: " + r.stateReason() + ". " + r.exposed() + " were exposed.";
            default -> "Stopped: " + r.stateReason() + ". " + r.exposed() + " were exposed.";
        };
    }

    private static Fields counts(RolloutView r, Optional<RolloutView> wayBack) {
        int rolledBack = wayBack.map(w -> w.batches().stream()
                        .mapToInt(b -> b.healthy() + b.skipped())
                        .sum())
                .orElse(0);
        return counts(r.devices(), r.batches(), rolledBack);
    }

    private static Fields counts(int total, List<RolloutView.BatchView> batches, int rolledBack) {
        return Fields.of("total", total)
                .with(
                        "waiting",
                        batches.stream()
                                .mapToInt(RolloutView.BatchView::pending)
                                .sum())
                .with(
                        "undecided",
                        batches.stream()
                                .mapToInt(RolloutView.BatchView::undecided)
                                .sum())
                .with(
                        "healthy",
                        batches.stream()
                                .mapToInt(b -> b.healthy() + b.skipped())
                                .sum())
                .with(
                        "failed",
                        batches.stream().mapToInt(RolloutView.BatchView::failed).sum())
                .with(
                        "withdrawn",
                        batches.stream()
                                .mapToInt(b -> b.withdrawn() + b.recalled())
                                .sum())
                .with("rolledBack", rolledBack);
    }

    static Fields one(
            RolloutView r,
            Optional<RolloutView> wayBack,
            Optional<Release> release,
            Optional<Release> previous,
            String reason,
            boolean gateEnabled) {
        Fields exposure = Fields.of("devices", r.exposed())
                .with("bytesServed", r.bytesServed())
                .with("bytesAfterStop", r.bytesAfterStop())
                .with("stoppedAt", r.stop().map(RolloutView.Stop::at))
                .with("stopCompleteAt", r.stop().flatMap(RolloutView.Stop::completeAt));
        return summary(r, wayBack, release)
                .with("plan", plan(r.plan()))
                .with("selector", r.plan().selector())
                .with("reason", reason)
                .with(
                        "previousRelease",
                        r.plan().previous() == null
                                ? null
                                : Long.toString(r.plan().previous()))
                .with("previousVersion", previous.map(p -> p.version().value()))
                .with("batches", batches(r))
                .with("gate", gate(r, gateEnabled))
                .with("exposure", exposure)
                .with("etag", etag(r));
    }

    static String etag(RolloutView r) {
        return Call.etag(r.id(), r.state().text(), r.epoch(), r.stateSince().toString());
    }

    private static List<Fields> batches(RolloutView r) {
        List<Fields> all = new java.util.ArrayList<>();
        for (int i = 0; i < r.batches().size(); i++) {
            RolloutView.BatchView batch = r.batches().get(i);
            String state;
            if (i < r.batch() || r.state() == RolloutState.FINISHED) {
                state = "passed";
            } else if (i > r.batch()) {
                state = "waiting";
            } else if (r.state() == RolloutState.STOPPED || r.state() == RolloutState.ABORTED) {
                state = "failed";
            } else {
                state = batch.pending() == 0 && batch.undecided() > 0 ? "soaking" : "running";
            }
            all.add(Fields.of("index", i)
                    .with("name", batch.name())
                    .with("state", state)
                    .with("counts", counts(batch.size(), List.of(batch), 0))
                    .with("startedAt", i == r.batch() ? r.batchSince() : null));
        }
        return all;
    }

    private static Fields gate(RolloutView r, boolean enabled) {
        int index = Math.min(r.batch(), r.batches().size() - 1);
        RolloutView.BatchView batch = r.batches().get(index);
        Plan.Batch plan = r.plan().batches().get(index);
        Optional<Gate.Reading> reading = r.gate();
        String verdict = switch (r.state()) {
            case RUNNING -> "wait";
            case PAUSED -> "pause";
            case STOPPED, ABORTED -> r.wayBack().isPresent() ? "roll-back" : "pause";
            case FINISHED -> "advance";
        };
        String sentence = !enabled
                ? "The gate is switched off by configuration: nothing stops this rollout by itself"
                : reading.map(Gate.Reading::sentence).orElse(r.stateReason());
        return Fields.of("enabled", enabled)
                .with("verdict", verdict)
                .with("sentence", capital(sentence) + ".")
                .with("failed", batch.failed())
                .with("decided", batch.failed() + batch.healthy())
                .with("failuresToStop", reading.map(Gate.Reading::failuresToStop))
                .with("threshold", plan.errorThreshold())
                .with("undecided", batch.undecided())
                .with("inFlight", plan.cap());
    }

    private static String capital(String sentence) {
        return sentence.isEmpty() ? sentence : Character.toUpperCase(sentence.charAt(0)) + sentence.substring(1);
    }

    private static Fields plan(Plan plan) {
        Plan.Batch first = plan.batches().getFirst();
        MaintenanceWindow window = plan.window();
        return Fields.of("staging", first.group().isEmpty() ? null : first.group())
                .with(
                        "batches",
                        plan.batches().stream()
                                .filter(b -> b.group().isEmpty())
                                .map(b -> b.size().endsWith("%")
                                        ? Fields.of("name", b.name())
                                                .with(
                                                        "percent",
                                                        Double.parseDouble(
                                                                b.size().replace("%", "")))
                                        : Fields.of("name", b.name()).with("devices", Integer.parseInt(b.size())))
                                .toList())
                .with("inFlight", first.cap())
                .with("soak", first.soak().toString())
                .with("healthWindow", first.healthWindow().toString())
                .with("timeout", first.timeout().toString())
                .with("errorThreshold", first.errorThreshold())
                .with(
                        "window",
                        window == null
                                ? null
                                : Fields.of("from", clock(window, false))
                                        .with("to", clock(window, true))
                                        .with("zone", window.zone().getId()));
    }

    private static String clock(MaintenanceWindow window, boolean end) {
        return (end ? window.start().plus(window.length()) : window.start())
                .format(DateTimeFormatter.ofPattern("HH:mm", java.util.Locale.ROOT));
    }

    static Fields device(MemberView member) {
        Optional<Instant> since = member.reportedAt().or(member::exposedAt).or(member::grantedAt);
        return Fields.of("device", member.device().value())
                .with("batch", member.batch())
                .with("state", state(member.state(), member.reason()))
                .with("since", since)
                .with("detail", member.reason());
    }

    private static String state(MemberState state, Optional<String> reason) {
        return switch (state) {
            case PENDING -> "waiting";
            case OFFERED -> "offered";
            case DOWNLOADING, DOWNLOADED -> "downloading";
            case INSTALLED -> "installed";
            case HEALTHY, SKIPPED -> "healthy";
            case FAILED -> reason.filter(r -> r.contains("in time")).isPresent() ? "timed-out" : "failed";
            case WITHDRAWN -> "withdrawn";
            case RECALLED -> "rolling-back";
        };
    }

    /// The states of ours that a state of the contract stands for.
    static Optional<MemberState> member(String state) {
        return switch (state) {
            case "waiting" -> Optional.of(MemberState.PENDING);
            case "offered" -> Optional.of(MemberState.OFFERED);
            case "downloading" -> Optional.of(MemberState.DOWNLOADING);
            case "installed" -> Optional.of(MemberState.INSTALLED);
            case "healthy" -> Optional.of(MemberState.HEALTHY);
            case "failed", "timed-out" -> Optional.of(MemberState.FAILED);
            case "withdrawn" -> Optional.of(MemberState.WITHDRAWN);
            default -> Optional.of(MemberState.RECALLED);
        };
    }
}
