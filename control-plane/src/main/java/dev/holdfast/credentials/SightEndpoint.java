package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.sight.Forecast;
import dev.holdfast.sight.KeyCensus;
import dev.holdfast.sight.ProfileLint;
import dev.holdfast.sight.Rogue;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.List;

/// When certificates end, which keys there are, and what is not as it should be.
final class SightEndpoint {
    private static final Duration LONGEST = Duration.ofDays(400);
    private static final int MOST_BUCKETS = 500;

    private final Rooms rooms;

    SightEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("getCertificateForecast", Scope.READ, this::forecast);
        handlers.on("getCertificateKeys", Scope.READ, this::keys);
        handlers.on(
                "listRogueCertificates",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "certificates",
                        rooms.sight().rogues(call.environment(), call.limit()).stream()
                                .map(SightEndpoint::rogue)
                                .toList())));
        handlers.on("lintByProfile", Scope.READ, this::lint);
    }

    private Reply forecast(Call call) {
        Duration horizon =
                Duration.ofDays(call.text("days").map(Integer::parseInt).orElse(90));
        Duration step = call.text("by").orElse("day").equals("week") ? Duration.ofDays(7) : Duration.ofDays(1);
        if (horizon.compareTo(LONGEST) > 0 || horizon.dividedBy(step) > MOST_BUCKETS) {
            throw Problem.malformed("?days", "should be at most " + LONGEST.toDays());
        }
        Forecast f = rooms.sight().forecast(call.environment(), horizon, step);
        return Reply.ok(Fields.of("at", f.at())
                .with(
                        "answer",
                        Fields.of("word", f.answer().word().text())
                                .with("sentence", f.answer().sentence())
                                .with(
                                        "advice",
                                        f.answer().advice().isEmpty()
                                                ? null
                                                : f.answer().advice()))
                .with(
                        "capacity",
                        Fields.of("perHour", f.capacity().perHour())
                                .with("measuredPerHour", f.capacity().measuredPerHour()))
                .with("devices", f.devices())
                .with("ended", f.ended())
                .with("beyond", f.beyond())
                .with("stepSeconds", step.toSeconds())
                .with(
                        "buckets",
                        f.buckets().stream()
                                .map(b -> Fields.of("from", b.from())
                                        .with("to", b.to())
                                        .with("ending", b.ending())
                                        .with("servable", b.servable())
                                        .with("late", b.late()))
                                .toList())
                .with("cliff", f.cliff().map(SightEndpoint::cliff)));
    }

    private static Fields cliff(Forecast.Cliff cliff) {
        return Fields.of("at", cliff.at())
                .with("ending", cliff.ending())
                .with("servable", cliff.servable())
                .with("lockedOut", cliff.lockedOut())
                .with("perHourNeeded", cliff.perHourNeeded());
    }

    private Reply keys(Call call) {
        KeyCensus census = rooms.sight().keys(call.environment());
        return Reply.ok(Fields.of("at", census.at())
                .with("certificates", census.certificates())
                .with("weak", census.weak())
                .with(
                        "groups",
                        census.groups().stream()
                                .map(g -> Fields.of("profile", g.profile())
                                        .with("kind", g.kind().text())
                                        .with("certificates", g.certificates())
                                        .with("accepted", g.accepted())
                                        .with("quantumSafe", g.quantumSafe()))
                                .toList())
                .with(
                        "shared",
                        census.shared().stream()
                                .map(s -> Fields.of("device", s.device())
                                        .with("at", s.at())
                                        .with("seen", s.seen()))
                                .toList()));
    }

    private static Fields rogue(Rogue rogue) {
        return Fields.of("sha256", rogue.fingerprint())
                .with("authority", rogue.authority())
                .with("serial", rogue.serial().hex())
                .with("subject", rogue.subject())
                .with("firstSeenAt", rogue.firstSeenAt())
                .with("lastSeenAt", rogue.lastSeenAt())
                .with("times", rogue.times())
                .with("remoteAddress", rogue.remoteAddress())
                .with("pem", Pem.encode(Pem.CERTIFICATE, rogue.der()));
    }

    private Reply lint(Call call) {
        CertificateProfile profile = rooms.ca()
                .profiles()
                .find(call.environment(), call.id())
                .orElseThrow(() -> Problem.notFound("certificate profile " + call.id()));
        String pem = call.required("pem");
        try {
            List<byte[]> requests = Pem.decode(Pem.CERTIFICATE_REQUEST, pem);
            List<byte[]> certificates = Pem.decode(Pem.CERTIFICATE, pem);
            if (requests.size() + certificates.size() != 1) {
                throw Problem.malformed("/pem", "should hold one certificate or one request");
            }
            return Reply.ok(Fields.of("profile", profile.name())
                    .with(
                            "faults",
                            requests.isEmpty()
                                    ? ProfileLint.certificate(certificates.getFirst(), profile)
                                    : ProfileLint.request(requests.getFirst(), profile)));
        } catch (X509FormatException e) {
            throw Problem.malformed("/pem", "can't be read: " + e.getMessage());
        }
    }
}
