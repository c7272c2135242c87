package dev.holdfast.ca;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.journal.Recorded;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.UnaryOperator;

/// What became of every certificate, in memory on every node, kept current by the journal's tail: what a
/// handshake and
/// an OCSP answer are decided by, without the database.
///
/// A certificate that is not here was not issued by us, or has ended long ago.
public final class CertificateStandings {
    private final Map<Serial, CertificateStanding> standings = new ConcurrentHashMap<>();

    public Optional<CertificateStanding> find(Serial serial) {
        return Optional.ofNullable(standings.get(serial));
    }

    public int size() {
        return standings.size();
    }

    void load(Serial serial, CertificateStanding standing) {
        standings.merge(serial, standing, (now, read) -> now.state().compareTo(read.state()) > 0 ? now : read);
    }

    /// Follows the journal; entries may come again and change nothing then.
    void follow(Recorded entry) {
        if (!entry.content().contains("\"kind\":\"certificate.")) {
            return;
        }
        JsonNode json = entry.json();
        JsonNode body = json.path("body");
        switch (json.path("kind").asText()) {
            case "certificate.issued" -> {
                Serial serial = new Serial(body.path("serial").asText());
                standings.putIfAbsent(
                        serial,
                        new CertificateStanding(
                                body.path("authority").asText().intern(),
                                device(json),
                                CertificateState.of(body.path("state").asText()),
                                false,
                                Optional.empty(),
                                Optional.empty()));
            }
            case "certificate.activated" -> {
                advance(body.path("serial").asText(), CertificateState.CURRENT, Optional.empty(), entry.at());
                body.path("superseded")
                        .forEach(old ->
                                advance(old.asText(), CertificateState.SUPERSEDED, Optional.empty(), entry.at()));
            }
            case "certificate.revoked" ->
                body.path("serials")
                        .forEach(serial -> advance(
                                serial.asText(),
                                CertificateState.REVOKED,
                                RevocationReason.parse(body.path("reason").asText()),
                                entry.at()));
            case "certificate.held" -> hold(body, true, entry.at());
            case "certificate.released" -> hold(body, false, entry.at());
            default -> {}
        }
    }

    private void advance(String serial, CertificateState to, Optional<RevocationReason> reason, Instant at) {
        change(serial, s -> {
            if (s.state().compareTo(to) >= 0) {
                return s;
            }
            boolean ends = to == CertificateState.SUPERSEDED || to == CertificateState.REVOKED;
            return new CertificateStanding(
                    s.authority(), s.device(), to, s.held(), ends ? Optional.of(at) : s.endedAt(), reason);
        });
    }

    private void hold(JsonNode body, boolean held, Instant at) {
        body.path("serials")
                .forEach(serial -> change(
                        serial.asText(),
                        s -> new CertificateStanding(
                                s.authority(),
                                s.device(),
                                s.state(),
                                held,
                                held ? Optional.of(at) : Optional.empty(),
                                s.reason())));
    }

    private void change(String serial, UnaryOperator<CertificateStanding> change) {
        standings.computeIfPresent(new Serial(serial), (_, standing) -> change.apply(standing));
    }

    private static Optional<DeviceRef> device(JsonNode json) {
        String subject = json.path("subject").asText();
        return subject.startsWith("device:")
                ? Optional.of(new DeviceRef(
                        new Environment(json.path("environment").asText()),
                        new DeviceId(subject.substring("device:".length()))))
                : Optional.empty();
    }
}
