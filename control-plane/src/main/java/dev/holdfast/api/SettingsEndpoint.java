package dev.holdfast.api;

import dev.holdfast.access.Scope;
import dev.holdfast.notify.Channel;
import dev.holdfast.notify.Channels;
import dev.holdfast.web.Call;
import dev.holdfast.web.Fields;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.Problem;
import dev.holdfast.web.Reply;
import java.net.URI;
import java.util.List;
import java.util.Locale;

/// Who is told, and how that goes.
final class SettingsEndpoint {
    private final Rooms rooms;

    SettingsEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on(
                "listNotificationChannels",
                Scope.READ,
                call -> Reply.ok(Fields.of(
                        "channels",
                        rooms.channels().list(call.environment()).stream()
                                .map(SettingsEndpoint::fields)
                                .toList())));
        handlers.on("createNotificationChannel", Scope.SETTINGS_WRITE, this::create);
        handlers.on("deleteNotificationChannel", Scope.SETTINGS_WRITE, call -> {
            if (!rooms.channels().remove(call.environment(), id(call), call.actor())) {
                throw missing(call);
            }
            return Reply.nothing(204);
        });
        handlers.on("testNotificationChannel", Scope.SETTINGS_WRITE, call -> {
            if (!rooms.channels().test(call.environment(), id(call), call.actor())) {
                throw missing(call);
            }
            return Reply.nothing(202);
        });
    }

    private static long id(Call call) {
        try {
            return Long.parseLong(call.id());
        } catch (NumberFormatException e) {
            throw missing(call);
        }
    }

    private static Problem missing(Call call) {
        return Problem.notFound("notification channel " + call.id());
    }

    private Reply create(Call call) {
        Channel.Severity severity = call.optional("minimumSeverity")
                .map(s -> Channel.Severity.valueOf(s.toUpperCase(Locale.ROOT)))
                .orElse(Channel.Severity.LOW);
        Channels.Added added = rooms.channels()
                .add(
                        call.environment(),
                        call.required("name").strip(),
                        target(call),
                        List.of(),
                        severity,
                        call.actor());
        return switch (added) {
            case Channels.Added.Done done ->
                Reply.created(
                        fields(done.made().channel()).with("secret", done.made().secret()));
            case Channels.Added.Refused refused -> throw Problem.malformed("/", refused.why());
        };
    }

    private static Channel.Target target(Call call) {
        boolean webhook = call.required("kind").equals("webhook");
        String needed = webhook ? "url" : "to";
        String other = webhook ? "to" : "url";
        String value = call.optional(needed)
                .orElseThrow(() -> Problem.malformed("/" + needed, "is needed for " + call.required("kind")));
        if (call.body().has(other)) {
            throw Problem.malformed("/" + other, "is not for " + call.required("kind"));
        }
        try {
            return webhook
                    ? new Channel.Target.Webhook(URI.create(value))
                    : new Channel.Target.Mail(List.of(value), "");
        } catch (IllegalArgumentException e) {
            throw Problem.malformed("/" + needed, "is not an address");
        }
    }

    private static Fields fields(Channel channel) {
        Fields fields = Fields.of("id", Long.toString(channel.id()))
                .with("name", channel.name())
                .with("minimumSeverity", IncidentShapes.lower(channel.minimumSeverity()))
                .with("pending", channel.health().waiting())
                .with("lastDeliveredAt", channel.health().lastDeliveredAt())
                .with(
                        "lastError",
                        channel.health().lastError().isEmpty()
                                ? null
                                : channel.health().lastError());
        return switch (channel.target()) {
            case Channel.Target.Webhook webhook ->
                fields.with("kind", "webhook").with("url", webhook.url().toString());
            case Channel.Target.Mail mail -> fields.with("kind", "email").with("to", String.join(", ", mail.to()));
        };
    }
}
