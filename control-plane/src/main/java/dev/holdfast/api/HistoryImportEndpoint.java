package dev.holdfast.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.access.Scope;
import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.telemetry.Metrics;
import dev.holdfast.telemetry.Telemetry;
import dev.holdfast.web.BodyStream;
import dev.holdfast.web.Call;
import dev.holdfast.web.Handlers;
import dev.holdfast.web.ImportReport;
import dev.holdfast.web.Problem;
import dev.holdfast.web.ProblemType;
import dev.holdfast.web.Reply;
import dev.holdfast.web.Schema;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// History with its true times, authorised by an operator (scope `imports:write`), kept marked as imported.
final class HistoryImportEndpoint {
    private static final int LARGEST = 64 << 20;
    private static final int LONGEST_LINE = 16_384;
    private static final int AT_ONCE = 10_000;
    private static final Duration OLDEST = Duration.ofDays(3_660);

    private final Rooms rooms;

    HistoryImportEndpoint(Rooms rooms) {
        this.rooms = rooms;
    }

    void register(Handlers handlers) {
        handlers.on("importTelemetry", Scope.IMPORTS_WRITE, this::read);
    }

    private Reply read(Call call) throws IOException {
        ((BodyStream) call.stream()).limit(LARGEST);
        ImportReport report = new ImportReport();
        Instant now = rooms.clock().instant();
        List<Telemetry.Imported> batch = new ArrayList<>();
        try (LimitedLines lines =
                new LimitedLines(new BufferedReader(new InputStreamReader(call.stream(), StandardCharsets.UTF_8)))) {
            int number = 0;
            for (String line = lines.next(); line != null; line = lines.next()) {
                number++;
                if (line.isBlank()) {
                    continue;
                }
                report.read();
                try {
                    batch.add(point(call, line, now));
                } catch (IllegalArgumentException e) {
                    report.rejected(number, String.valueOf(e.getMessage()));
                }
                if (batch.size() == AT_ONCE) {
                    apply(call, batch, report);
                }
            }
        }
        apply(call, batch, report);
        return report.reply();
    }

    private void apply(Call call, List<Telemetry.Imported> batch, ImportReport report) {
        if (!batch.isEmpty()) {
            rooms.telemetry()
                    .importHistory(call.environment(), batch, "history imported through the API", call.actor());
            report.accepted(batch.size());
            batch.clear();
        }
    }

    private Telemetry.Imported point(Call call, String line, Instant now) {
        JsonNode json;
        try {
            json = Json.tree(line);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("is not JSON: " + Schema.shown(e.getOriginalMessage()), e);
        }
        if (!json.isObject()
                || json.size() != 3
                || !json.path("device").isTextual()
                || !json.path("at").isTextual()
                || !json.path("values").isObject()) {
            throw new IllegalArgumentException("should be {\"device\":\"...\",\"at\":\"...\",\"values\":{...}}");
        }
        DeviceRef device = new DeviceRef(
                call.environment(), new DeviceId(json.path("device").asText()));
        // The memory follows the journal by a moment; a device registered just now is in the table already.
        if (rooms.inventory().directory().find(device).isEmpty()
                && rooms.inventory().find(device).isEmpty()) {
            throw new IllegalArgumentException("there is no device " + device.id());
        }
        Instant at;
        try {
            at = OffsetDateTime.parse(json.path("at").asText()).toInstant();
        } catch (DateTimeException e) {
            throw new IllegalArgumentException("`at` is not an RFC 3339 time", e);
        }
        if (at.isAfter(now) || at.isBefore(now.minus(OLDEST))) {
            throw new IllegalArgumentException("`at` lies in the future, or more than ten years back");
        }
        return new Telemetry.Imported(device, at, values(json.path("values")));
    }

    private static Map<String, Double> values(JsonNode node) {
        if (node.isEmpty() || node.size() > Metrics.MOST) {
            throw new IllegalArgumentException("`values` should hold 1 to " + Metrics.MOST + " numbers");
        }
        Map<String, Double> values = new HashMap<>();
        node.properties().forEach(value -> {
            double number = value.getValue().asDouble(Double.NaN);
            if (!Metrics.isName(value.getKey()) || !value.getValue().isNumber() || !Double.isFinite(number)) {
                throw new IllegalArgumentException(
                        "'" + Schema.shown(value.getKey()) + "' is no metric name, or its value no finite number");
            }
            values.put(value.getKey(), number);
        });
        return values;
    }

    /// Lines of bounded length, so that one without an end does not fill the memory.
    private static final class LimitedLines implements AutoCloseable {
        private final BufferedReader in;

        LimitedLines(BufferedReader in) {
            this.in = in;
        }

        @org.jspecify.annotations.Nullable
        String next() throws IOException {
            StringBuilder line = new StringBuilder();
            for (int c = in.read(); c >= 0; c = in.read()) {
                if (c == '\n') {
                    return line.toString();
                }
                if (line.length() >= LONGEST_LINE) {
                    throw new Problem(ProblemType.TOO_LARGE, "a line is longer than " + LONGEST_LINE + " characters");
                }
                line.append((char) c);
            }
            return line.isEmpty() ? null : line.toString();
        }

        @Override
        public void close() throws IOException {
            in.close();
        }
    }
}
