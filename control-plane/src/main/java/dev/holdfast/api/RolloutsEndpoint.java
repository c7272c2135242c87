package dev.holdfast.api;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Scope;
import dev.holdfast.core.Environment;
import dev.holdfast.firmware.Release;
import dev.holdfast.journal.Recorded;
import dev.holdfast.rollout.MaintenanceWindow;
import dev.holdfast.rollout.MemberView;
import dev.holdfast.rollout.Plan;
import dev.holdfast.rollout.RolloutControl;
import dev.holdfast.rollout.RolloutDenied;
import dev.holdfast.rollout.RolloutView;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// Rollouts, and the one switch that stops them all.
final class RolloutsEndpoint {
    private static final Duration LONGEST = Duration.ofDays(90);

    private final Rooms rooms;

    RolloutsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("listRollouts", Scope.READ, this::list);
        handlers.on("createRollout", Scope.ROLLOUTS_WRITE, this::create);
        handlers.on("getRollout", Scope.READ, call -> reply(200, find(call)));
        handlers.on("listRolloutDevices", Scope.READ, this::devices);
        handlers.on(
                "pauseRollout",
                Scope.ROLLOUTS_WRITE,
                call -> change(call, (id, reason) -> rooms.rollouts().control().pause(id, reason, call.actor())));
        handlers.on(
                "resumeRollout",
                Scope.ROLLOUTS_WRITE,
                call -> change(call, (id, reason) -> rooms.rollouts().control().resume(id, reason, call.actor())));
        handlers.on(
                "finishRollout",
                Scope.ROLLOUTS_WRITE,
                call -> change(call, (id, reason) -> rooms.rollouts().control().finish(id, reason, call.actor())));
        handlers.on(
                "abortRollout",
                Scope.ROLLOUTS_WRITE,
                call -> change(
                        call,
                        (id, reason) -> rooms.rollouts()
                                .control()
                                .abort(
                                        id,
                                        !call.body().has("rollBack")
                                                || call.body().get("rollBack").asBoolean(),
                                        reason,
                                        call.actor())));
        handlers.on("getStopSwitch", Scope.READ, _ -> Reply.ok(stopSwitch(rooms)));
        handlers.on("setStopSwitch", Scope.ROLLOUTS_WRITE, call -> {
            rooms.rollouts()
                    .control()
                    .setGlobalSwitch(
                            !call.body().get("stopped").asBoolean(), call.reason(), call.environment(), call.actor());
            return Reply.ok(stopSwitch(rooms));
        });
    }

    static Fields stopSwitch(Rooms rooms) {
        RolloutControl.Switch now = rooms.rollouts().control().globalSwitch();
        Fields fields = Fields.of("stopped", !now.enabled());
        if (now.enabled()) {
            return fields;
        }
        Optional<String> actor = rooms.journal().about("switch:rollouts", Long.MAX_VALUE, 1).stream()
                .findFirst()
                .map(e -> e.json().path("actor").asText());
        return fields.with("reason", now.reason())
                .with("since", now.changedAt())
                .with("by", actor.map(a -> rooms.access().nameOf(a).orElse(a)));
    }

    // ------------------------------------------------------------------ shown

    private static long id(Call call) {
        try {
            return Long.parseLong(call.id());
        } catch (NumberFormatException e) {
            throw Problem.notFound("rollout " + call.id());
        }
    }

    private RolloutView find(Call call) {
        return rooms.rollouts()
                .get(id(call))
                .filter(r -> r.plan().environment().equals(call.environment()))
                .orElseThrow(() -> Problem.notFound("rollout " + call.id()));
    }

    /// Ways back are shown as part of the rollout whose devices they bring back.
    private Reply list(Call call) {
        boolean active = call.flag("active");
        long before = call.numberCursor(Long.MAX_VALUE);
        List<RolloutView> found = new ArrayList<>();
        List<RolloutView> page;
        do {
            page = rooms.rollouts().list(call.environment(), before, 100);
            page.stream()
                    .filter(r -> r.parent().isEmpty() && (!active || active(r)))
                    .forEach(found::add);
            before = page.isEmpty() ? before : page.getLast().id();
        } while (page.size() == 100 && found.size() <= call.limit());
        List<RolloutView> shown = found.subList(0, Math.min(found.size(), call.limit()));
        return Reply.ok(Fields.of(
                        "rollouts", shown.stream().map(r -> summary(rooms, r)).toList())
                .with(
                        "next",
                        found.size() > call.limit()
                                ? call.nextCursor(shown.getLast().id())
                                : null));
    }

    private boolean active(RolloutView rollout) {
        return !rollout.state().over()
                || rollout.wayBack()
                        .flatMap(rooms.rollouts()::get)
                        .filter(w -> !w.state().over())
                        .isPresent();
    }

    /// Those not ended, their ways back included.
    static List<RolloutView> active(Rooms rooms, Environment environment) {
        RolloutsEndpoint endpoint = new RolloutsEndpoint(rooms);
        return rooms.rollouts().list(environment, Long.MAX_VALUE, 50).stream()
                .filter(r -> r.parent().isEmpty() && endpoint.active(r))
                .toList();
    }

    static Fields summary(Rooms rooms, RolloutView rollout) {
        return RolloutShapes.summary(
                rollout,
                rollout.wayBack().flatMap(rooms.rollouts()::get),
                release(rooms, rollout.plan().release()));
    }

    private static Optional<Release> release(Rooms rooms, long id) {
        return rooms.firmware().release(id);
    }

    private Reply reply(int status, RolloutView rollout) {
        Long previous = rollout.plan().previous();
        List<Recorded> about = rooms.journal().about("rollout:" + rollout.id(), Long.MAX_VALUE, 500);
        String reason =
                about.isEmpty() ? "" : about.getLast().json().path("reason").asText();
        return Reply.json(
                        status,
                        RolloutShapes.one(
                                rollout,
                                rollout.wayBack().flatMap(rooms.rollouts()::get),
                                release(rooms, rollout.plan().release()),
                                previous == null ? Optional.empty() : release(rooms, previous),
                                reason,
                                rooms.configuration().switches().rolloutGate()))
                .etag(RolloutShapes.etag(rollout));
    }

    private Reply devices(Call call) {
        RolloutView rollout = find(call);
        List<MemberView> found = rooms.rollouts()
                .devices(
                        rollout.id(),
                        call.text("batch").map(Integer::parseInt),
                        call.text("state").flatMap(RolloutShapes::member),
                        call.cursor().orElse(""),
                        call.limit() + 1);
        boolean more = found.size() > call.limit();
        List<MemberView> page = more ? found.subList(0, call.limit()) : found;
        return Reply.ok(
                Fields.of("devices", page.stream().map(RolloutShapes::device).toList())
                        .with("next", more ? call.nextCursor(page.getLast().device()) : null));
    }

    // ------------------------------------------------------------------ changed

    private interface Change {
        void apply(long id, String reason);
    }

    private Reply change(Call call, Change change) {
        RolloutView before = find(call);
        call.checkIfMatch(RolloutShapes.etag(before));
        try {
            change.apply(before.id(), call.reason());
        } catch (RolloutDenied denied) {
            throw problem(denied);
        }
        return reply(200, find(call));
    }

    static Problem problem(RolloutDenied denied) {
        return switch (denied.reason()) {
            case RELEASE_UNKNOWN, ROLLOUT_UNKNOWN ->
                Problem.notFound(String.valueOf(denied.getMessage()).replaceFirst("^there is no ", ""));
            case RELEASE_NOT_FOR_THIS_MODEL,
                    RELEASE_NEEDS_APPROVAL,
                    RELEASE_HALTED_OR_WITHDRAWN,
                    WAY_BACK_HAS_ANOTHER_COUNTER,
                    COUNTER_BELOW_FLOOR,
                    NO_DEVICE_MATCHES,
                    ANOTHER_ROLLOUT_OF_THE_MODEL_IS_ACTIVE,
                    NOT_IN_THIS_STATE -> Problem.conflict(String.valueOf(denied.getMessage()));
        };
    }

    private Reply create(Call call) {
        long releaseId;
        try {
            releaseId = Long.parseLong(call.required("release"));
        } catch (NumberFormatException e) {
            throw Problem.notFound("release " + call.required("release"));
        }
        Release release = release(rooms, releaseId)
                .filter(r -> r.environment().equals(call.environment()))
                .orElseThrow(() -> Problem.notFound("release " + releaseId));
        String selector = call.optional("selector").orElse("");
        Call.selector("/selector", selector);
        try {
            Plan plan = new Plan(
                    call.environment(),
                    release.model(),
                    selector,
                    releaseId,
                    null,
                    false,
                    window(call.body().path("plan").path("window")),
                    batches(call.body().path("plan")));
            return reply(201, rooms.rollouts().control().create(plan, call.reason(), call.actor()));
        } catch (RolloutDenied denied) {
            throw problem(denied);
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/plan", String.valueOf(e.getMessage()));
        }
    }

    private static List<Plan.Batch> batches(JsonNode plan) {
        int cap = plan.path("inFlight").asInt(10);
        Duration soak = duration(plan, "soak", Duration.ofMinutes(10));
        Duration healthWindow = duration(plan, "healthWindow", Duration.ofMinutes(10));
        Duration timeout = duration(plan, "timeout", Duration.ofHours(2));
        double threshold = plan.path("errorThreshold").asDouble(0.1);
        List<Plan.Batch> batches = new ArrayList<>();
        if (plan.hasNonNull("staging")) {
            String group = plan.get("staging").asText();
            Call.selector("/plan/staging", group);
            batches.add(new Plan.Batch("staging", group, "999999999", cap, soak, healthWindow, threshold, timeout));
        }
        JsonNode steps = plan.path("batches");
        for (int i = 0; i < steps.size(); i++) {
            JsonNode step = steps.get(i);
            if (step.has("devices") == step.has("percent")) {
                throw Problem.malformed("/plan/batches/" + i, "takes either devices or percent");
            }
            String size = step.has("devices")
                    ? step.get("devices").asText()
                    : step.get("percent").decimalValue().stripTrailingZeros().toPlainString() + "%";
            String name = step.hasNonNull("name") ? step.get("name").asText() : i == 0 ? "canary" : "batch " + (i + 1);
            batches.add(new Plan.Batch(name, "", size, cap, soak, healthWindow, threshold, timeout));
        }
        if (!batches.getLast().size().equals("100%")) {
            batches.add(new Plan.Batch("everyone", "", "100%", cap, soak, healthWindow, threshold, timeout));
        }
        return batches;
    }

    /// Zero is allowed here: a soak of PT0S watches for no time.
    private static Duration duration(JsonNode plan, String name, Duration usual) {
        String text = plan.path(name).asText("");
        return text.isEmpty()
                ? usual
                : text.equals("PT0S") ? Duration.ZERO : Call.duration("/plan/" + name, text, LONGEST);
    }

    private static @Nullable MaintenanceWindow window(JsonNode window) {
        return window.isObject() ? WindowsEndpoint.read("/plan/window", window) : null;
    }
}
