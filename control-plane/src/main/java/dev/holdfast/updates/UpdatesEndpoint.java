package dev.holdfast.updates;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.database.Database;
import dev.holdfast.firmware.Artifact;
import dev.holdfast.firmware.Firmware;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Model;
import dev.holdfast.journal.Journal;
import dev.holdfast.protocol.ddi.DdiAnswers;
import dev.holdfast.protocol.ddi.DdiAttributes;
import dev.holdfast.protocol.ddi.DdiException;
import dev.holdfast.protocol.ddi.DdiFeedback;
import dev.holdfast.rollout.Feedback;
import dev.holdfast.rollout.Offer;
import dev.holdfast.rollout.Rollouts;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.PeerClass;
import dev.holdfast.tls.Problem;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/// hawkBit's Direct Device Integration API, for devices that already have a client for it (SWUpdate, RAUC, our agent).
///
/// Identity comes from the certificate alone. Links come from the configuration, never from the Host header.
public final class UpdatesEndpoint implements AutoCloseable {
    private static final String BASE = "/:tenant/controller/v1/:id";
    private static final int MOST_BODY = 256 * 1024;
    private static final int MOST_WORKING = 256;
    private static final Duration BUSY_SLEEP = Duration.ofSeconds(10);

    private final Rollouts rollouts;
    private final Inventory inventory;
    private final Database database;
    private final Journal journal;
    private final InstantSource clock;
    private final Supplier<String> baseUrl;
    private final Door door;
    private final ArtifactEndpoint artifacts;
    private final Workers workers = new Workers("ddi", MOST_WORKING);
    /// Devices that have described themselves to this node since it started.
    private final Set<DeviceRef> described = ConcurrentHashMap.newKeySet();

    /// @param byDefault the environment that the tenant `DEFAULT` means
    /// @param baseUrl what links begin with, such as `https://updates.example:8443`
    public UpdatesEndpoint(
            Rollouts rollouts,
            Firmware firmware,
            Identity identity,
            Inventory inventory,
            Sessions sessions,
            Telemetry telemetry,
            Database database,
            Journal journal,
            Environment byDefault,
            Supplier<String> baseUrl,
            InstantSource clock) {
        this.rollouts = rollouts;
        this.inventory = inventory;
        this.database = database;
        this.journal = journal;
        this.clock = clock;
        this.baseUrl = baseUrl;
        this.door = new Door(identity, inventory, sessions, telemetry, byDefault, clock);
        this.artifacts = new ArtifactEndpoint(rollouts, firmware);
    }

    /// Adds the routes.
    public void mount(Router router) {
        router.route(BASE)
                .handler(DeviceListener.accepting(PeerClass.OPERATIONAL))
                .handler(door::enter);
        router.route(BASE + "/*")
                .handler(DeviceListener.accepting(PeerClass.OPERATIONAL))
                .handler(door::enter);
        router.get(BASE).handler(this::poll);
        router.get(BASE + "/deploymentBase/:action").handler(this::deployment);
        router.get(BASE + "/cancelAction/:action").handler(this::cancellation);
        router.get(BASE + "/softwaremodules/:release/artifacts/:file").handler(artifacts::get);
        router.head(BASE + "/softwaremodules/:release/artifacts/:file").handler(artifacts::get);
        for (HttpMethod method : List.of(HttpMethod.PUT, HttpMethod.POST)) {
            router.route(method, BASE + "/configData").handler(body()).handler(this::attributes);
            router.route(method, BASE + "/deploymentBase/:action/feedback")
                    .handler(body())
                    .handler(request -> feedback(request, false));
            router.route(method, BASE + "/cancelAction/:action/feedback")
                    .handler(body())
                    .handler(request -> feedback(request, true));
        }
    }

    private static BodyHandler body() {
        return BodyHandler.create(false).setBodyLimit(MOST_BODY);
    }

    private void poll(RoutingContext request) {
        Caller caller = Caller.of(request);
        Instant now = clock.instant();
        Optional<Offer> known = rollouts.known(caller.device(), now);
        if (known.isPresent()) {
            answerPoll(request, caller, known.get());
        } else {
            workers.run(request, () -> {
                Offer offer = rollouts.offer(caller.device(), now);
                return () -> answerPoll(request, caller, offer);
            });
        }
    }

    private void answerPoll(RoutingContext request, Caller caller, Offer offer) {
        String base = url(request, caller.device());
        Optional<String> describe = described.contains(caller.device()) && !(offer instanceof Offer.Watched)
                ? Optional.empty()
                : Optional.of(base + "/configData");
        Optional<String> deploy = Optional.empty();
        Optional<String> cancel = Optional.empty();
        switch (offer) {
            case Offer.Nothing _, Offer.Watched _ -> {}
            case Offer.Update update ->
                deploy = Optional.of(base + "/deploymentBase/" + update.action() + "?c=" + update.release());
            case Offer.Cancel stop -> cancel = Optional.of(base + "/cancelAction/" + stop.action());
        }
        json(request, DdiAnswers.poll(sleep(caller.device(), offer), describe, deploy, cancel));
    }

    private Duration sleep(DeviceRef device, Offer offer) {
        Duration expected = inventory
                .directory()
                .find(device)
                .flatMap(standing -> inventory.model(device.environment(), standing.model()))
                .map(Model::expectedInterval)
                .orElse(Duration.ofMinutes(5));
        boolean busy = !(offer instanceof Offer.Nothing);
        return busy && expected.compareTo(BUSY_SLEEP) > 0 ? BUSY_SLEEP : expected;
    }

    private void deployment(RoutingContext request) {
        Caller caller = Caller.of(request);
        long action = action(request);
        workers.run(request, () -> {
            Optional<Offer.Work> work = rollouts.work(caller.device(), action);
            if (work.isEmpty()) {
                return notYours(request, caller, action);
            }
            byte[] answer = DdiAnswers.deployment(
                    action,
                    work.get().release().model().value(),
                    work.get().release().version().value(),
                    files(request, caller.device(), work.get()));
            return () -> json(request, answer);
        });
    }

    private List<DdiAnswers.File> files(RoutingContext request, DeviceRef device, Offer.Work work) {
        List<DdiAnswers.File> files = new ArrayList<>();
        for (Artifact artifact : work.release().artifacts()) {
            files.add(new DdiAnswers.File(
                    artifact.fileName(),
                    artifact.size(),
                    artifact.sha256().hex(),
                    artifact.sha1(),
                    artifact.md5(),
                    url(request, device) + "/softwaremodules/" + work.release().id() + "/artifacts/"
                            + artifact.fileName()));
        }
        return files;
    }

    /// Gone, or another device's: told apart for us, not for the device.
    private Runnable notYours(RoutingContext request, Caller caller, long action) {
        if (!rollouts.owns(caller.device(), action)) {
            door.violation(
                    caller.device(),
                    clock.instant(),
                    Observation.Violation.Rule.FOREIGN_ACTION,
                    "asked for an action that is not its own");
        }
        return () -> Problem.send(
                request,
                404,
                "no-such-action",
                "this device has no such action",
                "poll; the action may be finished or withdrawn");
    }

    private void cancellation(RoutingContext request) {
        Caller caller = Caller.of(request);
        long action = action(request);
        workers.run(request, () -> {
            if (!rollouts.owns(caller.device(), action)) {
                return notYours(request, caller, action);
            }
            return () -> json(request, DdiAnswers.cancellation(action));
        });
    }

    private void feedback(RoutingContext request, boolean ofCancellation) {
        Caller caller = Caller.of(request);
        long action = action(request);
        DdiFeedback said;
        try {
            said = DdiFeedback.parse(bytes(request));
        } catch (DdiException e) {
            malformed(request, caller, e);
            return;
        }
        Feedback.Phase phase = ofCancellation ? cancelPhase(said) : phase(said);
        Feedback feedback = new Feedback(
                phase,
                said.execution().name().toLowerCase(java.util.Locale.ROOT),
                said.finished().name().toLowerCase(java.util.Locale.ROOT),
                said.details());
        workers.run(
                request,
                () -> rollouts.feedback(caller.device(), action, feedback)
                        ? () -> request.response().setStatusCode(200).end()
                        : notYours(request, caller, action));
    }

    private static Feedback.Phase phase(DdiFeedback said) {
        return switch (said.execution()) {
            case CLOSED ->
                switch (said.finished()) {
                    case SUCCESS -> Feedback.Phase.SUCCEEDED;
                    case FAILURE -> Feedback.Phase.FAILED;
                    case NONE -> Feedback.Phase.PROCEEDING;
                };
            case CANCELED -> Feedback.Phase.CANCELLED;
            case REJECTED -> Feedback.Phase.FAILED;
            case DOWNLOADED -> Feedback.Phase.DOWNLOADED;
            case PROCEEDING, DOWNLOAD, SCHEDULED, RESUMED -> Feedback.Phase.PROCEEDING;
        };
    }

    private static Feedback.Phase cancelPhase(DdiFeedback said) {
        return switch (said.execution()) {
            case CLOSED, CANCELED ->
                said.finished() == DdiFeedback.Finished.FAILURE
                        ? Feedback.Phase.CANCELLATION_REJECTED
                        : Feedback.Phase.CANCELLED;
            case REJECTED -> Feedback.Phase.CANCELLATION_REJECTED;
            case PROCEEDING, DOWNLOAD, DOWNLOADED, SCHEDULED, RESUMED -> Feedback.Phase.PROCEEDING;
        };
    }

    private void attributes(RoutingContext request) {
        Caller caller = Caller.of(request);
        DdiAttributes said;
        try {
            said = DdiAttributes.parse(bytes(request));
        } catch (DdiException e) {
            malformed(request, caller, e);
            return;
        }
        workers.run(request, () -> {
            Optional<FirmwareVersion> version = firmwareOf(said.data());
            journal.run(tx -> {
                AttributeStore.put(tx.sql(), caller.device(), said, tx.now());
                version.ifPresent(v -> inventory.reportFirmware(tx, caller.device(), v));
            });
            rollouts.heard(caller.device());
            described.add(caller.device());
            return () -> request.response().setStatusCode(200).end();
        });
    }

    /// The attribute that says which firmware runs, under the names in use.
    private static Optional<FirmwareVersion> firmwareOf(Map<String, String> attributes) {
        for (String name : List.of("firmware", "firmwareVersion", "swVersion", "version")) {
            String value = attributes.get(name);
            if (value != null) {
                try {
                    return Optional.of(new FirmwareVersion(value));
                } catch (IllegalArgumentException notAVersion) {
                    return Optional.empty();
                }
            }
        }
        return Optional.empty();
    }

    /// What the device last said of itself.
    public Map<String, String> attributes(DeviceRef device) {
        return database.read(sql -> AttributeStore.read(sql, device));
    }

    private void malformed(RoutingContext request, Caller caller, DdiException e) {
        door.violation(
                caller.device(),
                clock.instant(),
                Observation.Violation.Rule.MALFORMED_MESSAGE,
                String.valueOf(e.getMessage()));
        Problem.send(request, 400, "malformed", "the message can't be read", String.valueOf(e.getMessage()));
    }

    private static byte[] bytes(RoutingContext request) {
        Buffer body = request.body().buffer();
        return body == null ? new byte[0] : body.getBytes();
    }

    /// -1 for what is no action id; no device has that action.
    private static long action(RoutingContext request) {
        String action = request.pathParam("action");
        return action.matches("\\d{1,18}") ? Long.parseLong(action) : -1;
    }

    private String url(RoutingContext request, DeviceRef device) {
        return baseUrl.get() + "/" + request.pathParam("tenant") + "/controller/v1/" + device.id();
    }

    private static void json(RoutingContext request, byte[] body) {
        if (!request.response().ended()) {
            request.response()
                    .putHeader("content-type", "application/hal+json;charset=utf-8")
                    .end(Buffer.buffer(body));
        }
    }

    @Override
    public void close() {
        workers.close();
        artifacts.close();
    }
}
