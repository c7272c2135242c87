package dev.holdfast.ingest;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.Identity;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.inventory.Standing;
import dev.holdfast.sessions.Session;
import dev.holdfast.sessions.Sessions;
import dev.holdfast.sessions.TokenBucket;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.tls.DeviceListener;
import dev.holdfast.tls.PeerClass;
import dev.holdfast.tls.PeerIdentity;
import dev.holdfast.tls.Problem;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.BodyHandler;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// `POST /ingest/v1/flows` on the device HTTPS listener: summaries of traffic, from gateways and from devices.
///
/// What is full makes the reporter wait for its answer; what is answered with 200 was taken.
final class FlowsEndpoint {
    private static final Logger LOG = LoggerFactory.getLogger(FlowsEndpoint.class);
    private static final String PATH = "/ingest/v1/flows";
    private static final int MOST_BODY = 1 << 20;
    private static final int PER_SECOND = 20;
    private static final int BURST = 60;
    private static final int MOST_REPORTERS = 20_000;

    private final Identity identity;
    private final Inventory inventory;
    private final Sessions sessions;
    private final Telemetry telemetry;
    private final InstantSource clock;
    private final Map<DeviceRef, TokenBucket> rates = new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<DeviceRef, TokenBucket> eldest) {
            return size() > MOST_REPORTERS;
        }
    };

    FlowsEndpoint(Identity identity, Inventory inventory, Sessions sessions, Telemetry telemetry, InstantSource clock) {
        this.identity = identity;
        this.inventory = inventory;
        this.sessions = sessions;
        this.telemetry = telemetry;
        this.clock = clock;
    }

    void mount(Router router) {
        router.post(PATH).handler(DeviceListener.accepting(PeerClass.OPERATIONAL));
        router.post(PATH).handler(BodyHandler.create(false).setBodyLimit(MOST_BODY));
        router.post(PATH).handler(this::report);
        router.post(PATH).failureHandler(FlowsEndpoint::failed);
    }

    private static void failed(RoutingContext request) {
        if (request.statusCode() == 413) {
            Problem.send(
                    request, 413, "too-large", "the report is too large", "send fewer flows at once: 1 MiB at most");
        } else {
            LOG.error("a report of flows failed", request.failure());
            Problem.send(request, 500, "internal", "the report could not be taken", "send it again later");
        }
    }

    /// What one request is being made into.
    private record Report(
            RoutingContext request, DeviceRef reporter, List<Observation.Flow> flows, int refused, Context context) {}

    private void report(RoutingContext request) {
        // 1. Who says it, and whether it may come in; registered first, so that a cut finds it.
        Instant now = clock.instant();
        PeerIdentity peer = DeviceListener.peer(request);
        Admission first = peer.leaf()
                .map(leaf -> identity.admit(leaf, now))
                .orElse(new Admission.Refused(Admission.Refusal.NO_CERTIFICATE, "no certificate"));
        if (!(first instanceof Admission.Admitted admitted)) {
            refuse(request, (Admission.Refused) first);
            return;
        }
        DeviceRef reporter = admitted.device();
        Context context = Vertx.currentContext();
        Session session = sessions.register(
                reporter,
                admitted.certificate(),
                peer.leaf().orElseThrow().getNotAfter().toInstant(),
                "https",
                peer.remoteAddress(),
                now,
                _ -> context.runOnContext(_ -> {
                    var _ = request.request().connection().close();
                }));
        request.addEndHandler(_ -> sessions.close(session));
        Admission again = identity.admit(reporter, admitted.certificate());
        if (again instanceof Admission.Refused refused) {
            refuse(request, refused);
            return;
        }
        if (again instanceof Admission.Admitted sure && sure.state() == Lifecycle.QUARANTINED) {
            Problem.send(request, 403, "not-admitted", "this device may not report flows now", "it is quarantined");
            return;
        }
        if (!rate(reporter).take(1, System.nanoTime())) {
            violation(reporter, now, Observation.Violation.Rule.RATE_EXCEEDED, "flow reports");
            request.response().putHeader("retry-after", "1");
            Problem.send(request, 429, "too-many-requests", "too many reports", "gather flows and send fewer reports");
            return;
        }
        inventory.heard(reporter, now);

        // 2. What it says, and about whom it may.
        try {
            Buffer body = request.body().buffer();
            judge(request, reporter, FlowReport.parse(body == null ? new byte[0] : body.getBytes(), now), now, context);
        } catch (MalformedReportException e) {
            violation(reporter, now, Observation.Violation.Rule.MALFORMED_MESSAGE, "flows: " + e.getMessage());
            Problem.send(request, 400, "malformed", "the report can't be read", String.valueOf(e.getMessage()));
        }
    }

    private void judge(RoutingContext request, DeviceRef reporter, FlowReport report, Instant now, Context context) {
        Optional<Standing> own = inventory.directory().find(reporter);
        if (own.isEmpty()) {
            Problem.send(request, 403, "not-admitted", "the device is not known", "register it");
            return;
        }
        List<Observation.Flow> taken = new ArrayList<>(report.flows().size());
        Optional<DeviceRef> foreign = Optional.empty();
        int refused = 0;
        for (FlowReport.Flow flow : report.flows()) {
            DeviceRef subject = new DeviceRef(reporter.environment(), flow.device());
            Optional<Provenance> provenance = Observers.provenance(
                    reporter, own.get(), subject, inventory.directory().find(subject));
            if (provenance.isEmpty()) {
                refused++;
                foreign = Optional.of(subject);
                continue;
            }
            taken.add(new Observation.Flow(
                    subject,
                    now,
                    provenance.get(),
                    reporter,
                    flow.start(),
                    flow.end(),
                    flow.destination(),
                    flow.port(),
                    flow.protocol(),
                    flow.octets(),
                    flow.packets()));
        }
        if (foreign.isPresent()) {
            violation(
                    reporter,
                    now,
                    Observation.Violation.Rule.FOREIGN_IDENTITY,
                    "reported flows of " + foreign.get().id() + ", which is not reached through it");
        }
        if (taken.isEmpty() && refused > 0) {
            Problem.send(
                    request,
                    403,
                    "not-this-device",
                    "flows of devices that are not reached through the reporter",
                    "a gateway needs the label role=gateway and devices that reach the network via it");
            return;
        }
        handOver(new Report(request, reporter, taken, refused, context), 0);
    }

    /// One after another; what is full is waited for, and the answer with it.
    private void handOver(Report report, int from) {
        for (int i = from; i < report.flows().size(); i++) {
            if (!telemetry.accept(report.flows().get(i))) {
                int next = i;
                telemetry.whenRoom(
                        report.flows().get(i).device(),
                        () -> report.context().runOnContext(_ -> handOver(report, next)));
                return;
            }
        }
        if (!report.request().response().ended()) {
            report.request()
                    .response()
                    .putHeader("content-type", "application/json")
                    .end(Buffer.buffer(
                            Json.bytes(Map.of("v", 1, "taken", report.flows().size(), "refused", report.refused()))));
        }
    }

    private void refuse(RoutingContext request, Admission.Refused refused) {
        if (refused.reason() == Admission.Refusal.SERVER_CANNOT_CHECK) {
            request.response().putHeader("retry-after", "30");
            Problem.send(
                    request, 503, "cannot-check", "the server can't check certificates now", "come back in a while");
            return;
        }
        Problem.send(
                request,
                403,
                "not-admitted",
                "this certificate is not admitted",
                refused.reason() + ": " + refused.detail());
    }

    private TokenBucket rate(DeviceRef reporter) {
        synchronized (rates) {
            return rates.computeIfAbsent(reporter, _ -> new TokenBucket(PER_SECOND, BURST, System.nanoTime()));
        }
    }

    private void violation(DeviceRef device, Instant now, Observation.Violation.Rule rule, String detail) {
        telemetry.accept(new Observation.Violation(device, now, rule, detail));
    }
}
