package dev.holdfast.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.PrintStream;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/// Writes what the API answered, in the form that was asked for. Text from devices is shown with control characters
/// escaped: a terminal obeys them.
final class Printer {
    private static final Map<String, String> COLOURS = Map.ofEntries(
            Map.entry("active", "32"),
            Map.entry("good", "32"),
            Map.entry("ok", "32"),
            Map.entry("finished", "32"),
            Map.entry("healthy", "32"),
            Map.entry("valid", "32"),
            Map.entry("running", "36"),
            Map.entry("quarantined", "33"),
            Map.entry("watch", "33"),
            Map.entry("warning", "33"),
            Map.entry("paused", "33"),
            Map.entry("medium", "33"),
            Map.entry("awaiting-approval", "33"),
            Map.entry("suspended", "31"),
            Map.entry("bad", "31"),
            Map.entry("failed", "31"),
            Map.entry("high", "31"),
            Map.entry("critical", "31"),
            Map.entry("revoked", "31"),
            Map.entry("rolled-back", "31"),
            Map.entry("stopped", "31"),
            Map.entry("open", "31"));

    private final PrintStream out;
    private final Format format;
    private final boolean colour;
    private final Instant now;

    enum Format {
        table,
        json,
        yaml,
        name
    }

    Printer(PrintStream out, Format format, boolean colour, Instant now) {
        this.out = out;
        this.format = format;
        this.colour = colour;
        this.now = now;
    }

    Format format() {
        return format;
    }

    PrintStream out() {
        return out;
    }

    void rows(List<JsonNode> rows, Table table) {
        switch (format) {
            case json -> out.println(pretty(ApiClient.JSON.valueToTree(rows)));
            case yaml -> out.print(yaml(ApiClient.JSON.valueToTree(rows)));
            case name -> rows.forEach(row -> out.println(plain(row.path(table.key()))));
            case table -> {
                if (rows.isEmpty()) {
                    out.println(table.whenEmpty());
                } else {
                    lines(rows, table.columns());
                }
            }
        }
    }

    /// One row as a card: a line for each field that says something.
    void one(JsonNode row, Table table) {
        switch (format) {
            case json -> out.println(pretty(row));
            case yaml -> out.print(yaml(row));
            case name -> out.println(plain(row.path(table.key())));
            case table -> {
                int width = table.columns().stream()
                        .mapToInt(c -> c.heading().length())
                        .max()
                        .orElse(0);
                for (Table.Column column : table.columns()) {
                    String value = column.value(row, now);
                    if (!value.isEmpty()) {
                        out.printf("%-" + (width + 2) + "s%s%n", column.heading(), paint(value));
                    }
                }
            }
        }
    }

    /// A part of a card, under its own heading; only people read it, the other forms hold it already.
    void section(String heading, JsonNode rows, Table table) {
        if (format == Format.table) {
            out.println();
            if (!heading.isEmpty()) {
                out.println(heading);
            }
            rows(ApiClient.rows(rows), table);
        }
    }

    private void lines(List<JsonNode> rows, List<Table.Column> columns) {
        List<List<String>> cells = new ArrayList<>();
        int[] widths = columns.stream().mapToInt(c -> c.heading().length()).toArray();
        for (JsonNode row : rows) {
            List<String> line = columns.stream().map(c -> c.value(row, now)).toList();
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], line.get(i).length());
            }
            cells.add(line);
        }
        line(columns.stream().map(Table.Column::heading).toList(), widths, false);
        cells.forEach(line -> line(line, widths, true));
    }

    private void line(List<String> cells, int[] widths, boolean painted) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < cells.size(); i++) {
            String cell = cells.get(i);
            String pad = i == cells.size() - 1 ? "" : " ".repeat(widths[i] - cell.length() + 2);
            text.append(painted ? paint(cell) : cell).append(pad);
        }
        out.println(text);
    }

    private String paint(String value) {
        String code = colour ? COLOURS.get(value) : null;
        return code == null ? value : "\u001b[" + code + "m" + value + "\u001b[0m";
    }

    /// A time as people say it: `3 min ago`, `in 2 d`.
    static String relative(Duration age) {
        long seconds = Math.abs(age.toSeconds());
        String size = seconds < 60
                ? seconds + " s"
                : seconds < 3_600
                        ? seconds / 60 + " min"
                        : seconds < 172_800 ? seconds / 3_600 + " h" : seconds / 86_400 + " d";
        return age.isNegative() ? "in " + size : size + " ago";
    }

    /// The text of a node with control and bidirectional characters made visible.
    static String plain(JsonNode node) {
        String text = words(node);
        StringBuilder safe = new StringBuilder(text.length());
        text.codePoints().forEach(c -> {
            boolean unsafe = Character.isISOControl(c)
                    || Character.getType(c) == Character.FORMAT
                    || Character.getType(c) == Character.LINE_SEPARATOR
                    || Character.getType(c) == Character.PARAGRAPH_SEPARATOR;
            if (unsafe) {
                safe.append(String.format(java.util.Locale.ROOT, "\\u%04x", c));
            } else {
                safe.appendCodePoint(c);
            }
        });
        return safe.toString();
    }

    /// A list as `a, b`, labels as `key=value, key=value`: the way in which they are given.
    private static String words(JsonNode node) {
        if (node.isMissingNode() || node.isNull()) {
            return "";
        }
        if (node.isArray()) {
            return node.valueStream().map(Printer::words).collect(Collectors.joining(", "));
        }
        return node.isObject()
                ? node.propertyStream()
                        .map(field -> field.getKey() + "=" + words(field.getValue()))
                        .collect(Collectors.joining(", "))
                : node.asText();
    }

    private static String pretty(JsonNode node) {
        try {
            return ApiClient.JSON.writerWithDefaultPrettyPrinter().writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String yaml(JsonNode node) {
        try {
            return new YAMLMapper().writeValueAsString(node);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(e);
        }
    }
}
