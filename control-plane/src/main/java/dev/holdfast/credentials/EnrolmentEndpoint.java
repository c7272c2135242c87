package dev.holdfast.credentials;

import dev.holdfast.access.Scope;
import dev.holdfast.api.Rooms;
import dev.holdfast.core.DeviceId;
import dev.holdfast.identity.EnrolmentTokens;
import dev.holdfast.identity.SharedSecrets;
import dev.holdfast.sight.FailedAttempt;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Identities;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.time.Duration;
import java.util.List;

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

    // ------------------------------------------------------------------ why not

    /// Of every node, newest first.
    private Reply failures(Call call) {
        List<FailedAttempt> all = rooms.failedAttempts()
                .last(
                        call.environment(),
                        call.text("device").map(EnrolmentEndpoint::device),
                        call.text("address"),
                        MOST_FAILURES);
        int from = (int) Math.min(all.size(), call.numberCursor(0));
        int to = Math.min(all.size(), from + call.limit());
        return Reply.ok(Fields.of(
                        "failures",
                        all.subList(from, to).stream()
                                .map(EnrolmentEndpoint::fields)
                                .toList())
                .with("next", to < all.size() ? call.nextCursor(to) : null));
    }

    private static DeviceId device(String text) {
        return DeviceId.parse(text).orElseThrow(() -> Problem.notFound("device " + text));
    }

    private static Fields fields(FailedAttempt attempt) {
        String who = attempt.device().isEmpty() ? attempt.subject() : attempt.device();
        return Fields.of("at", attempt.lastAt())
                .with(
                        "listener",
                        switch (attempt.stage()) {
                            case HANDSHAKE -> "tls";
                            case ADMISSION -> "device";
                            case ENROLMENT -> "est";
                        })
                .with("cause", attempt.cause())
                .with("sentence", attempt.detail())
                .with("device", who.isEmpty() ? null : who)
                .with("remoteAddress", attempt.remoteAddress())
                .with("times", attempt.times())
                .with("firstAt", attempt.firstAt());
    }
}
