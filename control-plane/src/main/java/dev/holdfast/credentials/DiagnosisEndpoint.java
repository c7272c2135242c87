package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.HeldRequests;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Recorded;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.Profiles;
import dev.holdfast.sessions.Session;
import dev.holdfast.sight.Attempt;
import dev.holdfast.sight.Circumstances;
import dev.holdfast.sight.Diagnosis;
import dev.holdfast.sight.Reason;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Why a device does not come in: gathers what is known, `sight` judges it.
final class DiagnosisEndpoint {
    private static final Duration REMEMBERED = Duration.ofDays(7);

    private final Rooms rooms;

    DiagnosisEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("getConnectionDiagnosis", Scope.READ, this::diagnosis);
    }

    private Reply diagnosis(Call call) {
        Device device =
                rooms.inventory().find(call.device()).orElseThrow(() -> Problem.notFound("device " + call.id()));
        Diagnosis diagnosis = Diagnosis.of(circumstances(device));
        return Reply.ok(Fields.of("device", call.id())
                .with(
                        "verdict",
                        diagnosis.verdict().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .with("sentence", diagnosis.sentence())
                .with(
                        "reasons",
                        diagnosis.reasons().stream()
                                .map(DiagnosisEndpoint::fields)
                                .toList()));
    }

    private static Fields fields(Reason reason) {
        return Fields.of(
                        "kind",
                        switch (reason.kind()) {
                            case BARS -> "bars";
                            case NOTE -> "note";
                            case HANDSHAKE -> "handshake";
                            case ADMISSION -> "admission";
                            case ENROLMENT -> "enrolment";
                        })
                .with("cause", reason.cause())
                .with("sentence", reason.sentence())
                .with("fix", reason.fix())
                .with("readOn", reason.readOn())
                .with("times", reason.times())
                .with("lastAt", reason.lastAt())
                .with("remoteAddress", reason.remoteAddress())
                .with("sure", reason.sure());
    }

    private Circumstances circumstances(Device device) {
        DeviceRef ref = device.ref();
        List<IssuedCertificate> certificates = rooms.identity().certificates(ref);
        List<Session> sessions = rooms.sessions().of(ref);
        Optional<CertificateProfile> profile = rooms.ca()
                .profiles()
                .find(
                        ref.environment(),
                        certificates.stream()
                                .findFirst()
                                .map(IssuedCertificate::profile)
                                .orElse(Profiles.DEVICE));
        return new Circumstances(
                ref.id().value(),
                device.state(),
                device.stateReason(),
                !sessions.isEmpty(),
                device.lastContact(),
                certificates,
                attempts(ref, sessions),
                profile.map(p -> p.rotation().renewableAfterExpiry()).orElse(Duration.ZERO),
                profile.map(p -> p.rotation().lateWindow()).orElse(Duration.ZERO),
                rooms.identity().held().list(ref.environment(), Optional.of(HeldRequests.State.WAITING), 500).stream()
                        .filter(held -> held.device().equals(ref.id().value()))
                        .map(HeldRequests.Held::detail)
                        .findFirst(),
                rooms.identity().blind(),
                rooms.freeze().isFrozen(),
                rooms.clock().instant());
    }

    /// Newest first: what any node refused lately, and the refused enrolments that only the journal still has.
    private List<Attempt> attempts(DeviceRef device, List<Session> sessions) {
        List<Attempt> all = new ArrayList<>(rooms.failedAttempts()
                .of(device, sessions.stream().map(Session::remoteAddress).toList()));
        journalled(device, all);
        all.sort(Comparator.comparing(Attempt::at).reversed());
        return all;
    }

    private void journalled(DeviceRef device, List<Attempt> all) {
        Instant since = rooms.clock().instant().minus(REMEMBERED);
        Set<String> known = all.stream()
                .filter(a -> a.stage() == Attempt.Stage.ENROLMENT)
                .map(a -> a.cause().toUpperCase(Locale.ROOT).replace('-', '_'))
                .collect(Collectors.toUnmodifiableSet());
        for (Recorded entry : rooms.journal().about(Inventory.subject(device), Long.MAX_VALUE, 200)) {
            var json = entry.json();
            String cause =
                    json.at("/body/refusal").asText().toUpperCase(Locale.ROOT).replace('-', '_');
            if (entry.at().isAfter(since)
                    && json.path("kind").asText().equals("enrolment.refused")
                    && json.path("environment")
                            .asText()
                            .equals(device.environment().value())
                    && !known.contains(cause)) {
                all.add(new Attempt(
                        entry.at(),
                        Attempt.Stage.ENROLMENT,
                        cause,
                        json.path("reason").asText(),
                        "",
                        true,
                        1));
            }
        }
    }
}
