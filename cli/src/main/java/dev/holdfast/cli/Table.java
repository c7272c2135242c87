package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/// What rows of one kind look like: as lines under headings, or one alone as a card.
///
/// @param key the field that `-o name` prints
/// @param whenEmpty said in place of no rows; teaches the next step
record Table(String key, String whenEmpty, List<Column> columns) {

    /// @param columns each `HEADING=field`, where a field is `a.b` (inside), `a/b` (both, with the stroke between),
    /// `a#` (how many), or `a~` (a time, as people say it)
    static Table of(String key, String whenEmpty, String... columns) {
        return new Table(key, whenEmpty, Arrays.stream(columns).map(Column::of).toList());
    }

    /// A table whose columns are the fields of the rows themselves.
    static Table ofFields(String key, String whenEmpty, List<JsonNode> rows) {
        List<String> fields = rows.isEmpty()
                ? List.of()
                : rows.getFirst().properties().stream()
                        .map(java.util.Map.Entry::getKey)
                        .toList();
        return of(key, whenEmpty, fields.stream().map(f -> f + "=" + f).toArray(String[]::new));
    }

    /// What commands ask for by themselves: `open=true`, `only=all`.
    private static final Set<String> OWN = Set.of("true", "all");

    /// Says of an empty list that it was asked for a part: otherwise it would teach the first step to who has taken it.
    Table whenNoneOf(Map<String, String> asked) {
        String part = asked.entrySet().stream()
                .filter(one -> !OWN.contains(one.getValue()))
                .map(one -> one.getKey() + " " + one.getValue())
                .collect(Collectors.joining(", "));
        return part.isEmpty() ? this : new Table(key, "None with " + part + ". Leave that out to list all.", columns);
    }

    record Column(String heading, List<String> fields) {
        static Column of(String text) {
            int equals = text.indexOf('=');
            return new Column(
                    text.substring(0, equals),
                    List.of(text.substring(equals + 1).split("/", -1)));
        }

        String value(JsonNode row, Instant now) {
            if (fields.size() == 1) {
                return one(row, fields.getFirst(), now);
            }
            return String.join("/", fields.stream().map(f -> one(row, f, now)).toList());
        }

        private static String one(JsonNode row, String field, Instant now) {
            JsonNode node = row;
            for (String step : field.replaceAll("[#~]$", "").split("\\.", -1)) {
                node = node.path(step);
            }
            return switch (field.charAt(field.length() - 1)) {
                case '#' -> String.valueOf(node.size());
                case '~' -> ago(node, now);
                default -> Printer.plain(node);
            };
        }

        private static String ago(JsonNode time, Instant now) {
            String text = time.asText("");
            try {
                return text.isEmpty() ? "" : Printer.relative(Duration.between(Instant.parse(text), now));
            } catch (DateTimeParseException e) {
                return Printer.plain(time);
            }
        }
    }
}
