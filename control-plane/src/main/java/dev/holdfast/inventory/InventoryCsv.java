package dev.holdfast.inventory;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Labels;
import dev.holdfast.core.ModelId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/// The inventory as CSV (RFC 4180), out and in. Pure.
///
/// Columns that are read: `id` and `model` (both needed), `reachesVia`, and `label.<key>`, empty meaning none.
/// Columns
/// that are written beside those, and passed over when read back: `state`, `firmware`, `lastContact`, `risk`,
/// `riskReasons`. A field that a spreadsheet would take for a formula is written with an apostrophe before it,
/// and read
/// without it.
public final class InventoryCsv {
    private static final int MOST_CHARACTERS = 64 * 1024 * 1024;
    private static final int MOST_ROWS = 1_000_000;
    private static final int MOST_FIELD = 4_096;
    private static final int MOST_PROBLEMS = 100;
    private static final String LABEL = "label.";
    private static final Set<String> WRITTEN_ONLY = Set.of("state", "firmware", "lastcontact", "risk", "riskreasons");

    private InventoryCsv() {}

    /// @param row counted from 1, the header being 1
    public record Problem(int row, String what) {}

    /// What was read: every row that could be, and what was wrong with the others (the first 100).
    public record Read(List<Inventory.Registration> registrations, List<Problem> problems) {
        public Read {
            registrations = List.copyOf(registrations);
            problems = List.copyOf(problems);
        }
    }

    /// What can't be read at all.
    public static final class NotCsvException extends Exception {
        private static final long serialVersionUID = 1L;

        NotCsvException(String message) {
            super(message);
        }
    }

    public static String write(List<Device> devices) {
        Set<String> labels = new TreeSet<>();
        devices.forEach(device -> labels.addAll(device.labels().values().keySet()));
        StringBuilder csv = new StringBuilder();
        List<String> header = new ArrayList<>(
                List.of("id", "model", "reachesVia", "state", "firmware", "lastContact", "risk", "riskReasons"));
        labels.forEach(label -> header.add(LABEL + label));
        row(csv, header);
        for (Device device : devices) {
            List<String> fields = new ArrayList<>(List.of(
                    device.ref().id().value(),
                    device.model().value(),
                    device.reachesVia().map(DeviceId::value).orElse(""),
                    device.state().text(),
                    device.firmware().map(f -> f.value()).orElse(""),
                    device.lastContact().map(Instant::toString).orElse(""),
                    device.risk().level().name().toLowerCase(java.util.Locale.ROOT),
                    String.join("; ", device.risk().reasons())));
            labels.forEach(label -> fields.add(device.labels().get(label).orElse("")));
            row(csv, fields);
        }
        return csv.toString();
    }

    private static void row(StringBuilder csv, List<String> fields) {
        for (int i = 0; i < fields.size(); i++) {
            csv.append(i == 0 ? "" : ",").append(field(fields.get(i)));
        }
        csv.append("\r\n");
    }

    private static String field(String text) {
        String safe = !text.isEmpty() && "=+-@\t\r'".indexOf(text.charAt(0)) >= 0 ? "'" + text : text;
        boolean quoted = safe.chars().anyMatch(c -> c == ',' || c == '"' || c == '\r' || c == '\n');
        return quoted ? '"' + safe.replace("\"", "\"\"") + '"' : safe;
    }

    /// @throws NotCsvException when it is too large, not CSV, or has not the columns that are needed
    public static Read read(Environment environment, String csv) throws NotCsvException {
        if (csv.length() > MOST_CHARACTERS) {
            throw new NotCsvException("larger than 64 million characters; split it");
        }
        List<List<String>> rows = parse(csv.startsWith("\ufeff") ? csv.substring(1) : csv);
        if (rows.isEmpty()) {
            throw new NotCsvException("it is empty; the first row names the columns: id,model,reachesVia,label.site");
        }
        Map<String, Integer> columns = columns(rows.getFirst());
        List<Inventory.Registration> registrations = new ArrayList<>();
        List<Problem> problems = new ArrayList<>();
        Set<String> seen = new HashSet<>();
        for (int i = 1; i < rows.size(); i++) {
            List<String> row = rows.get(i);
            if (row.size() == 1 && row.getFirst().isEmpty()) {
                continue;
            }
            try {
                if (row.size() != columns.size()) {
                    throw new IllegalArgumentException(row.size() + " fields where the header has " + columns.size());
                }
                Inventory.Registration registration = registration(environment, columns, row);
                if (!seen.add(registration.ref().id().value())) {
                    throw new IllegalArgumentException("the same id as in a row before");
                }
                registrations.add(registration);
            } catch (IllegalArgumentException e) {
                if (problems.size() < MOST_PROBLEMS) {
                    problems.add(new Problem(i + 1, String.valueOf(e.getMessage())));
                }
            }
        }
        return new Read(registrations, problems);
    }

    private static Map<String, Integer> columns(List<String> header) throws NotCsvException {
        Map<String, Integer> columns = new HashMap<>();
        for (int i = 0; i < header.size(); i++) {
            String name = header.get(i).strip();
            boolean known = Set.of("id", "model", "reachesVia").contains(name)
                    || name.startsWith(LABEL)
                    || WRITTEN_ONLY.contains(name.toLowerCase(java.util.Locale.ROOT));
            if (!known) {
                throw new NotCsvException("unknown column " + (i + 1)
                        + "; known are id, model, reachesVia, label.<key>, state, firmware, lastContact, risk,"
                        + " riskReasons");
            }
            if (columns.put(name, i) != null) {
                throw new NotCsvException("column " + (i + 1) + " is there twice");
            }
        }
        if (!columns.containsKey("id") || !columns.containsKey("model")) {
            throw new NotCsvException("the columns id and model are needed");
        }
        return columns;
    }

    private static Inventory.Registration registration(
            Environment environment, Map<String, Integer> columns, List<String> row) {
        Map<String, String> labels = new TreeMap<>();
        columns.forEach((name, column) -> {
            String value = plain(row.get(column));
            if (name.startsWith(LABEL) && !value.isEmpty()) {
                labels.put(name.substring(LABEL.length()), value);
            }
        });
        Integer via = columns.get("reachesVia");
        Optional<DeviceId> reachesVia = via == null || plain(row.get(via)).isEmpty()
                ? Optional.empty()
                : Optional.of(new DeviceId(plain(row.get(via))));
        return new Inventory.Registration(
                new DeviceRef(environment, new DeviceId(plain(row.get(columns.getOrDefault("id", 0))))),
                new ModelId(plain(row.get(columns.getOrDefault("model", 0)))),
                new Labels(labels),
                reachesVia,
                Lifecycle.REGISTERED);
    }

    private static String plain(String field) {
        String text = field.strip();
        return text.startsWith("'") ? text.substring(1) : text;
    }

    private static List<List<String>> parse(String csv) throws NotCsvException {
        List<List<String>> rows = new ArrayList<>();
        List<String> row = new ArrayList<>();
        StringBuilder field = new StringBuilder();
        boolean quoted = false;
        boolean wasQuoted = false;
        for (int i = 0; i < csv.length(); i++) {
            char c = csv.charAt(i);
            if (quoted) {
                if (c == '"' && i + 1 < csv.length() && csv.charAt(i + 1) == '"') {
                    field.append('"');
                    i++;
                } else if (c == '"') {
                    quoted = false;
                    wasQuoted = true;
                } else {
                    field.append(c);
                }
            } else if (c == '"') {
                if (!field.isEmpty() || wasQuoted) {
                    throw new NotCsvException(
                            "a quotation mark inside a field that is not quoted, in row " + (rows.size() + 1));
                }
                quoted = true;
            } else if (c == ',' || c == '\n' || c == '\r') {
                row.add(field.toString());
                field.setLength(0);
                wasQuoted = false;
                if (c != ',') {
                    rows.add(row);
                    row = new ArrayList<>();
                    if (c == '\r' && i + 1 < csv.length() && csv.charAt(i + 1) == '\n') {
                        i++;
                    }
                }
            } else if (wasQuoted) {
                throw new NotCsvException("text after a quoted field, in row " + (rows.size() + 1));
            } else {
                field.append(c);
            }
            if (field.length() > MOST_FIELD || row.size() > 200 || rows.size() > MOST_ROWS) {
                throw new NotCsvException("more than " + MOST_FIELD + " characters in a field, 200 columns or "
                        + MOST_ROWS + " rows, at row " + (rows.size() + 1));
            }
        }
        if (quoted) {
            throw new NotCsvException("a quoted field does not end");
        }
        if (!field.isEmpty() || wasQuoted || !row.isEmpty()) {
            row.add(field.toString());
            rows.add(row);
        }
        return rows;
    }
}
