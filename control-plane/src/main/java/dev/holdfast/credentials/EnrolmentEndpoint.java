package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.RefusalLog;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.identity.Manufacturers;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import dev.holdfast.tls.HandshakeFailure;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Identities;
import dev.holdfast.web.ImportReport;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/// How devices come in for the first time, and why some don't.
final class EnrolmentEndpoint {
    private static final int MOST_FAILURES = 500;

    private final Rooms rooms;
    private final Identities identities;

    EnrolmentEndpoint(Rooms rooms, Identities identities) {
        this.rooms = rooms;
        this.identities = identities;
    }

    void register(Handlers handlers) {
        handlers.on("createEnrolmentToken", Scope.IDENTITY_WRITE, this::token);
        handlers.on("createSharedSecret", Scope.IDENTITY_WRITE, this::secret);
        handlers.on(
                "listManufacturerAnchors",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "anchors",
                        rooms.identity().manufacturers().anchors().stream()
                                .filter(a -> a.environment().equals(call.environment()))
                                .map(EnrolmentEndpoint::anchor)
                                .toList())));
        handlers.on("addManufacturerAnchor", Scope.SETTINGS_WRITE, this::addAnchor);
        handlers.on("removeManufacturerAnchor", Scope.SETTINGS_WRITE, call -> {
            if (!rooms.identity().manufacturers().withdrawAnchor(call.id(), "removed by an operator", call.actor())) {
                throw Problem.notFound("manufacturer anchor " + call.id());
            }
            return Reply.nothing(204);
        });
        handlers.on("registerManufacturerSerials", Scope.IDENTITY_WRITE, this::serials);
        handlers.on("listConnectionFailures", Scope.READ, this::failures);
    }

    // ------------------------------------------------------------------ tokens

    private Reply token(Call call) {
        Duration lifetime = call.duration("expiresIn", Duration.ofDays(30)).orElse(Duration.ofDays(1));
        return switch (rooms.identity().issueEnrolmentToken(call.device(), lifetime, call.actor())) {
            case EnrolmentTokens.Issued.Token token ->
                Reply.created(Fields.of("device", call.id())
                        .with("token", token.secret())
                        .with("expiresAt", token.expiresAt())
                        .with("estUrl", rooms.estUrl().get())
                        .with("commands", commands(call.id(), token.secret())));
            case EnrolmentTokens.Issued.UnknownDevice _ -> throw Problem.notFound("device " + call.id());
            case EnrolmentTokens.Issued.DeviceRetired _ ->
                throw Problem.conflict("device " + call.id() + " is retired");
        };
    }

    private Reply secret(Call call) {
        Duration lifetime = call.duration("expiresIn", Duration.ofDays(30)).orElse(Duration.ofDays(1));
        return switch (rooms.identity().issueSharedSecret(call.device(), lifetime, call.actor())) {
            case SharedSecrets.Issued.Secret secret ->
                Reply.created(Fields.of("device", call.id())
                        .with("id", secret.id())
                        .with("secret", secret.secret())
                        .with("expiresAt", secret.expiresAt()));
            case SharedSecrets.Issued.UnknownDevice _ -> throw Problem.notFound("device " + call.id());
            case SharedSecrets.Issued.DeviceRetired _ -> throw Problem.conflict("device " + call.id() + " is retired");
        };
    }

    /// Enrolment with nothing but curl and openssl (RFC 7030 section 4.2.1).
    private String commands(String device, String token) {
        return """
                curl -sf %s/api/v1/ca.pem -o ca.pem
                openssl ecparam -name prime256v1 -genkey -noout -out device.key
                openssl req -new -key device.key -subj "/CN=%s" -outform DER | openssl base64 > device.csr
                curl -sf --cacert ca.pem -u '%s:%s' -H 'Content-Type: application/pkcs10' \\
                     -H 'Content-Transfer-Encoding: base64' --data-binary @device.csr \\
                     %s/simpleenroll -o device.p7
                openssl base64 -d -A -in device.p7 | openssl pkcs7 -inform DER -print_certs -out device.pem
                """.formatted(
                identities.origin(), device, device, token, rooms.estUrl().get());
    }

    // ------------------------------------------------------------------ manufacturers

    private Reply addAnchor(Call call) {
        X509Certificate certificate;
        try {
            List<X509Certificate> read = Certificates.parsePem(call.required("pem"));
            if (read.size() != 1) {
                throw Problem.malformed("/pem", "should hold one certificate, holds " + read.size());
            }
            certificate = read.getFirst();
        } catch (X509FormatException e) {
            throw Problem.malformed("/pem", "is not a PEM certificate: " + e.getMessage());
        }
        return switch (rooms.identity()
                .manufacturers()
                .registerAnchor(call.environment(), call.required("name").strip(), certificate, call.actor())) {
            case Manufacturers.AnchorRegistered.Registered registered -> Reply.created(anchor(registered.anchor()));
            case Manufacturers.AnchorRegistered.NotAnAuthority _ ->
                throw Problem.malformed("/pem", "is not a certification authority's certificate");
        };
    }

    private static Fields anchor(Manufacturers.Anchor anchor) {
        return Fields.of("id", anchor.id())
                .with("name", anchor.name())
                .with("subject", anchor.certificate().getSubjectX500Principal().getName())
                .with("sha256", anchor.id())
                .with("notAfter", anchor.certificate().getNotAfter().toInstant());
    }

    /// With one anchor in the environment its serials are meant; with several the caller names it.
    private Reply serials(Call call) {
        List<Manufacturers.Anchor> anchors = rooms.identity().manufacturers().anchors().stream()
                .filter(a -> a.environment().equals(call.environment()))
                .filter(a -> call.optional("anchor").isEmpty()
                        || a.id().equals(call.optional("anchor").get()))
                .toList();
        if (anchors.size() != 1) {
            throw anchors.isEmpty()
                    ? Problem.conflict("no such manufacturer anchor is registered in this environment; add it first")
                    : Problem.malformed("/anchor", "is needed: this environment has more than one anchor");
        }
        ImportReport report = new ImportReport();
        int line = 0;
        for (var serial : call.body().path("serials")) {
            line++;
            report.read();
            DeviceRef device = new DeviceRef(
                    call.environment(), new DeviceId(serial.path("device").asText()));
            try {
                switch (rooms.identity()
                        .manufacturers()
                        .registerSerial(
                                anchors.getFirst().id(),
                                serial.path("serialNumber").asText(),
                                device,
                                call.actor())) {
                    case REGISTERED -> report.accepted();
                    case ALREADY_REGISTERED -> report.unchanged();
                    case BELONGS_TO_ANOTHER_DEVICE ->
                        report.rejected(line, "the serial number belongs to another device");
                    case UNKNOWN_ANCHOR -> report.rejected(line, "the manufacturer anchor was removed");
                    case UNKNOWN_DEVICE -> report.rejected(line, "there is no device " + device.id());
                }
            } catch (IllegalArgumentException e) {
                report.rejected(line, String.valueOf(e.getMessage()));
            }
        }
        return report.reply();
    }

    // ------------------------------------------------------------------ why not

    private record Failure(Instant at, Fields fields) {}

    /// The last ones of this node, newest first.
    private Reply failures(Call call) {
        Optional<String> device = call.text("device");
        List<Failure> all = new ArrayList<>();
        for (HandshakeFailure f : rooms.handshakeFailures().last(MOST_FAILURES)) {
            if (device.isEmpty() || f.subject().contains("CN=" + device.get())) {
                all.add(new Failure(
                        f.at(),
                        Fields.of("at", f.at())
                                .with("listener", "tls")
                                .with("cause", f.cause().name())
                                .with("sentence", f.detail())
                                .with("device", f.subject().isEmpty() ? null : f.subject())
                                .with("remoteAddress", f.remoteAddress())));
            }
        }
        for (RefusalLog.Refusal r : rooms.refusals().all()) {
            if (r.device().environment().equals(call.environment())
                    && (device.isEmpty() || r.device().id().value().equals(device.get()))) {
                all.add(new Failure(
                        r.at(),
                        Fields.of("at", r.at())
                                .with("listener", r.listener())
                                .with("cause", r.cause())
                                .with("sentence", r.detail())
                                .with("device", r.device().id().value())
                                .with("remoteAddress", r.address())));
            }
        }
        all.sort(Comparator.comparing(Failure::at).reversed());
        int from = (int) Math.min(all.size(), call.numberCursor(0));
        int to = Math.min(all.size(), from + call.limit());
        return Reply.ok(Fields.of(
                        "failures",
                        all.subList(from, to).stream().map(Failure::fields).toList())
                .with("next", to < all.size() ? call.nextCursor(to) : null));
    }
}
