package dev.holdfast.notify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.core.Json;
import dev.holdfast.journal.Recorded;
import java.util.Locale;
import java.util.Optional;

/// What receivers are told of a journal entry. Pure.
///
/// The webhook's body is `{"type":"incident.opened","timestamp":"...","data":{...}}`, as Standard Webhooks
/// advise; the
/// data are the entry's own fields.
final class Message {
    private Message() {}

    static String payload(Recorded entry) {
        JsonNode content = entry.json();
        ObjectNode payload = Json.mapper().createObjectNode();
        payload.put("type", content.path("kind").asText());
        payload.put("timestamp", entry.at().toString());
        ObjectNode data = payload.putObject("data");
        data.put("entry", entry.number());
        for (String field : new String[] {"environment", "subject", "actor", "reason"}) {
            data.set(field, content.path(field));
        }
        data.set("details", content.path("body"));
        return Json.text(payload);
    }

    static Optional<Channel.Severity> severity(JsonNode content) {
        String text = content.path("body").path("severity").asText();
        for (Channel.Severity severity : Channel.Severity.values()) {
            if (severity.name().equals(text)) {
                return Optional.of(severity);
            }
        }
        return Optional.empty();
    }

    /// `[HIGH] Incident opened: m-1 (development)`
    static String subject(String payload) {
        JsonNode message = tree(payload);
        JsonNode data = message.path("data");
        String severity = data.path("details").path("severity").asText();
        String type = message.path("type").asText().replace('.', ' ').replace('-', ' ');
        String about = data.path("subject").asText();
        return (severity.isEmpty() ? "" : "[" + severity + "] ")
                + type.substring(0, 1).toUpperCase(Locale.ROOT) + type.substring(1)
                + ": " + about.substring(about.indexOf(':') + 1)
                + " (" + data.path("environment").asText() + ")";
    }

    static String text(String payload) {
        JsonNode message = tree(payload);
        JsonNode data = message.path("data");
        StringBuilder text = new StringBuilder();
        text.append(plain(data.path("reason").asText())).append("\n\n");
        text.append("What:        ").append(message.path("type").asText()).append('\n');
        text.append("About:       ")
                .append(plain(data.path("subject").asText()))
                .append('\n');
        text.append("Environment: ").append(data.path("environment").asText()).append('\n');
        text.append("When:        ").append(message.path("timestamp").asText()).append('\n');
        text.append("By:          ").append(plain(data.path("actor").asText())).append('\n');
        data.path("details")
                .properties()
                .forEach(field -> text.append(field.getKey())
                        .append(": ")
                        .append(plain(
                                field.getValue().isValueNode()
                                        ? field.getValue().asText()
                                        : field.getValue().toString()))
                        .append('\n'));
        text.append("\nJournal entry ").append(data.path("entry").asText()).append(".\n");
        return text.toString();
    }

    private static String plain(String text) {
        String one = text.replaceAll("[\\p{Cntrl}\\u2028\\u2029\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069]+", " ");
        return one.length() > 2_000 ? one.substring(0, 2_000) + "..." : one;
    }

    private static JsonNode tree(String payload) {
        try {
            return Json.tree(payload);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored message can't be read", e);
        }
    }
}
