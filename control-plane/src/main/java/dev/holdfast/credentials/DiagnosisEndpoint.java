package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.RefusalLog;
import dev.holdfast.api.Rooms;
import dev.holdfast.ca.CertificateProfile;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.Profiles;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.HeldRequests;
import dev.holdfast.inventory.Device;
import dev.holdfast.inventory.Inventory;
import dev.holdfast.journal.Recorded;
import dev.holdfast.sessions.Session;
import dev.holdfast.sight.Attempt;
import dev.holdfast.sight.Circumstances;
import dev.holdfast.sight.Diagnosis;
import dev.holdfast.sight.Reason;
import dev.holdfast.tls.HandshakeFailure;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/// Why a device does not come in: gathers what is known, `sight` judges it.
final class DiagnosisEndpoint {
    private static final int MOST_FAILURES = 1_000;
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
                attempts(ref, certificates, sessions),
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

    /// Newest first: what this node refused lately, and the refused enrolments that the journal has of other
    /// nodes and of before a restart.
    private List<Attempt> attempts(DeviceRef device, List<IssuedCertificate> certificates, List<Session> sessions) {
        List<Attempt> all = new ArrayList<>();
        Set<String> hosts = sessions.stream()
                .map(session -> host(session.remoteAddress()))
                .collect(Collectors.toCollection(HashSet::new));
        for (RefusalLog.Refusal refusal : rooms.refusals().all()) {
            if (refusal.device().equals(device)) {
                hosts.add(host(refusal.address()));
                all.add(refused(refusal));
            }
        }
        Set<String> serials = certificates.stream().map(c -> c.serial().hex()).collect(Collectors.toUnmodifiableSet());
        for (HandshakeFailure failure : rooms.handshakeFailures().last(MOST_FAILURES)) {
            boolean sure = serials.contains(failure.serial()) || names(failure.subject(), device);
            if (sure || (failure.subject().isEmpty() && hosts.contains(host(failure.remoteAddress())))) {
                all.add(new Attempt(
                        failure.at(),
                        Attempt.Stage.HANDSHAKE,
                        failure.cause().name(),
                        failure.detail(),
                        failure.remoteAddress(),
                        sure));
            }
        }
        journalled(device, all);
        all.sort(Comparator.comparing(Attempt::at).reversed());
        return all;
    }

    private static Attempt refused(RefusalLog.Refusal refusal) {
        boolean admission = refusal.listener().equals("device");
        boolean credential = refusal.cause().equals("AUTHENTICATION_FAILED");
        return new Attempt(
                refusal.at(),
                admission ? Attempt.Stage.ADMISSION : Attempt.Stage.ENROLMENT,
                credential ? fact(refusal.detail()) : refusal.cause(),
                refusal.detail(),
                refusal.address(),
                true);
    }

    /// `EST: token-wrong` is `TOKEN_WRONG`.
    private static String fact(String detail) {
        String last = detail.substring(detail.lastIndexOf(' ') + 1);
        return last.matches("[a-z-]{3,60}") ? last.toUpperCase(Locale.ROOT).replace('-', '_') : "AUTHENTICATION_FAILED";
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
                        true));
            }
        }
    }

    /// Whether a name that proves nothing says to be this device's: `CN=m-1`, alone or as a part.
    private static boolean names(String subject, DeviceRef device) {
        for (String part : subject.split(",", -1)) {
            if (part.strip().equals("CN=" + device.id())) {
                return true;
            }
        }
        return false;
    }

    private static String host(String address) {
        int colon = address.lastIndexOf(':');
        return colon < 0 ? address : address.substring(0, colon);
    }
}
