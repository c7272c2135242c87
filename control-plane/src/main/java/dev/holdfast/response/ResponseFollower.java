package dev.holdfast.response;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.detection.Detection;
import dev.holdfast.detection.Finding;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import dev.holdfast.journal.Transaction;
import dev.holdfast.response.Action.Status;
import dev.holdfast.telemetry.Provenance;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Brings the news to the responder: new findings, stopped rollouts, time limits that were reached, legs that
/// are
/// pending.
///
/// The journal's tail only wakes it; what there is to do is read from the database (findings not handled, the
/// journal
/// past a stored cursor, actions due or unsettled), so nothing is forgotten in a crash.
final class ResponseFollower implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ResponseFollower.class);
    private static final int FINDINGS = 50;
    private static final int PAGE = 500;
    /// Entries in one change: while it runs, nothing else is committed on this node.
    private static final int TAKEN_AT_ONCE = 20;
    private static final long SLOW_MILLIS = 1_000;
    private static final long PENDING_MILLIS = 50;

    private final Database database;
    private final Journal journal;
    private final Detection detection;
    private final Responder responder;
    private final Enforcement enforcement;
    private final RiskAssessor risk;
    private final InstantSource clock;
    private final Semaphore wake = new Semaphore(0);
    private final ReentrantLock working = new ReentrantLock();
    private final Set<Long> unbearable = new HashSet<>();
    private volatile boolean closing;
    private @Nullable Thread worker;

    ResponseFollower(
            Database database,
            Journal journal,
            Detection detection,
            Responder responder,
            Enforcement enforcement,
            RiskAssessor risk,
            InstantSource clock) {
        this.database = database;
        this.journal = journal;
        this.detection = detection;
        this.responder = responder;
        this.enforcement = enforcement;
        this.risk = risk;
        this.clock = clock;
    }

    void start() {
        worker = Thread.ofPlatform().name("response").start(this::run);
    }

    void wake() {
        wake.release();
    }

    /// On the journal's tail, on every node: cuts at once, leaves the rest to the worker.
    void news(Recorded entry) {
        JsonNode json = entry.json();
        String kind = json.path("kind").asText();
        switch (kind) {
            case "isolation.intended" -> {
                JsonNode body = json.path("body");
                enforcement.cutNow(
                        new ActionId(body.path("action").asLong()),
                        Response.device(json),
                        Action.Kind.valueOf(body.path("isolation").asText()),
                        entry.at());
                wake();
            }
            case "finding.raised", "rollout.stopped", "identity.concern", "isolation.undone", "isolation.expired" ->
                wake();
            default -> {
                if (isMove(json) || isRecovery(json)) {
                    wake();
                }
            }
        }
    }

    private static final Set<String> MOVES = Set.of("device.active", "device.enrolled", "device.retired");

    private static final Set<String> ISOLATED = Set.of(Lifecycle.QUARANTINED.text(), Lifecycle.SUSPENDED.text());

    /// Whether a device was moved out of its isolation, or for ever out of service. One that gets its first
    /// certificate, or connects for the first time, was not isolated: a fleet that enrols or connects is no
    /// news here.
    private static boolean isMove(JsonNode json) {
        String kind = json.path("kind").asText();
        return MOVES.contains(kind)
                && (kind.equals("device.retired")
                        || ISOLATED.contains(json.path("body").path("from").asText()));
    }

    private static boolean isRecovery(JsonNode json) {
        return json.path("kind").asText().equals("attestation.passed")
                && json.path("body").path("recovered").asBoolean();
    }

    private void run() {
        while (!closing) {
            int pending = 0;
            try {
                pending = catchUp();
            } catch (RuntimeException e) {
                LOG.warn("response: {}", e.toString());
            }
            try {
                boolean woken = wake.tryAcquire(pending > 0 ? PENDING_MILLIS : SLOW_MILLIS, TimeUnit.MILLISECONDS);
                if (woken) {
                    wake.drainPermits();
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /// @return how many legs are pending still
    int catchUp() {
        working.lock();
        try {
            takeUpFindings();
            readJournal();
            expire();
            return enforcement.settle();
        } finally {
            working.unlock();
        }
    }

    private void takeUpFindings() {
        List<Long> ids;
        do {
            ids = detection.unhandled(FINDINGS + unbearable.size()).stream()
                    .filter(id -> !unbearable.contains(id))
                    .limit(FINDINGS)
                    .toList();
            List<Long> batch = ids;
            if (batch.isEmpty()) {
                return;
            }
            try {
                journal.run(tx -> batch.forEach(id -> responder.handle(tx, id)));
            } catch (RuntimeException e) {
                if (Database.isAway(e)) {
                    throw e;
                }
                batch.forEach(this::takeUpAlone);
            }
        } while (ids.size() == FINDINGS);
    }

    private void takeUpAlone(long id) {
        try {
            journal.run(tx -> responder.handle(tx, id));
        } catch (RuntimeException e) {
            if (Database.isAway(e)) {
                throw e;
            }
            unbearable.add(id);
            LOG.error("finding {} can't be taken up; it stays unhandled until the next start", id, e);
        }
    }

    /// Whatever there is to read, findings go first: a device is not isolated later because thousands of
    /// others have been registered. So they are taken up again after each small change.
    private void readJournal() {
        while (!closing) {
            long cursor =
                    database.<Long>read(sql -> PolicyStore.cursor(sql, false).orElseThrow());
            List<Recorded> page = journal.read(cursor, PAGE);
            if (page.isEmpty()) {
                return;
            }
            if (page.stream().map(Recorded::json).anyMatch(ResponseFollower::isRecovery)) {
                takeUpFindings(); // what a device has recovered from is on record by now
            }
            long from = cursor;
            List<Recorded> ours = new ArrayList<>();
            for (Recorded entry : page) {
                if (isOurs(entry)) {
                    ours.add(entry);
                }
                if (ours.size() == TAKEN_AT_ONCE) {
                    take(List.copyOf(ours), from, entry.number());
                    from = entry.number();
                    ours.clear();
                    takeUpFindings();
                }
            }
            take(ours, from, page.getLast().number());
            if (page.size() < PAGE) {
                return;
            }
            takeUpFindings();
        }
    }

    /// @param from where the cursor must stand; another node that comes late finds it moved
    private void take(List<Recorded> ours, long from, long to) {
        if (ours.isEmpty()) {
            database.run(sql -> PolicyStore.advance(sql, to));
            return;
        }
        journal.run(tx -> {
            if (PolicyStore.cursor(tx.sql(), true).orElseThrow() == from) {
                ours.forEach(entry -> take(tx, entry));
                ours.stream()
                        .map(Recorded::json)
                        .filter(json -> json.path("subject").asText().startsWith("device:"))
                        .map(Response::device)
                        .distinct()
                        .forEach(device -> risk.assess(tx, device));
                PolicyStore.advance(tx.sql(), to);
            }
        });
    }

    private boolean isOurs(Recorded entry) {
        String kind = entry.json().path("kind").asText();
        return kind.equals("rollout.stopped")
                || kind.equals("identity.concern")
                || RISKS.contains(kind)
                || isMove(entry.json())
                || isRecovery(entry.json());
    }

    /// What a device's risk class depends on.
    private static final Set<String> RISKS = Set.of(
            "device.registered",
            "device.labelled",
            "device.quarantined",
            "device.suspended",
            "device.firmware-reported",
            "incident.opened",
            "incident.escalated",
            "incident.closed");

    private void take(Transaction tx, Recorded entry) {
        JsonNode json = entry.json();
        if (json.path("kind").asText().equals("rollout.stopped")) {
            rolloutStopped(tx, entry, json);
        } else if (json.path("kind").asText().equals("identity.concern")) {
            identityConcern(tx, entry, json);
        } else if (isRecovery(json)) {
            responder.heal(tx, Response.device(json), "a good attestation followed");
        } else if (MOVES.contains(json.path("kind").asText())) {
            overtaken(tx, json);
        }
    }

    private void rolloutStopped(Transaction tx, Recorded entry, JsonNode json) {
        String subject = json.path("subject").asText();
        Incident.Subject rollout = new Incident.Subject.OfRollout(
                new Environment(json.path("environment").asText()), subject.substring(subject.indexOf(':') + 1));
        Incident.Evidence evidence = new Incident.Evidence(
                "ROLLOUT_STOPPED",
                Finding.Severity.HIGH,
                Provenance.PROVEN,
                entry.at(),
                entry.at(),
                "every batch within its error threshold",
                json.path("reason").asText());
        responder.save(
                tx,
                Correlation.apply(
                        IncidentStore.lockOpen(tx.sql(), rollout), rollout, Incident.Family.ROLLOUT, evidence),
                Responder.ACTOR);
    }

    /// Of an authority's certificates, not of a device: people are told, nobody is isolated.
    private void identityConcern(Transaction tx, Recorded entry, JsonNode json) {
        String subject = json.path("subject").asText();
        JsonNode body = json.path("body");
        Incident.Subject authority = new Incident.Subject.OfAuthority(
                new Environment(json.path("environment").asText()), subject.substring(subject.indexOf(':') + 1));
        Incident.Evidence evidence = new Incident.Evidence(
                body.path("cause").asText(),
                Finding.Severity.valueOf(body.path("severity").asText()),
                Provenance.valueOf(body.path("provenance").asText()),
                entry.at(),
                entry.at(),
                body.path("expected").asText(),
                body.path("seen").asText());
        responder.save(
                tx,
                Correlation.apply(
                        IncidentStore.lockOpen(tx.sql(), authority), authority, Incident.Family.CREDENTIAL, evidence),
                Responder.ACTOR);
    }

    /// A device that somebody else moved out of its isolation: the action is over, and says so.
    private void overtaken(Transaction tx, JsonNode json) {
        for (Action action : ActionStore.lockLive(tx.sql(), Response.device(json))) {
            responder.overtake(
                    tx, action, json.path("reason").asText(), json.path("actor").asText());
        }
    }

    private void expire() {
        for (Action due : database.read(sql -> ActionStore.due(sql, clock.instant(), PAGE))) {
            journal.run(tx -> ActionStore.lock(tx.sql(), due.device().environment(), due.id())
                    .filter(Action::isInForce)
                    .ifPresent(action ->
                            responder.end(tx, action, Status.EXPIRED, "its time limit was reached", Responder.ACTOR)));
        }
    }

    @Override
    public void close() {
        closing = true;
        wake();
        try {
            if (worker != null) {
                worker.join();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
