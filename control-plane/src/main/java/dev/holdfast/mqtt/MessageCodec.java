package dev.holdfast.mqtt;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.protocol.senml.MalformedSenmlException;
import dev.holdfast.protocol.senml.Senml;
import dev.holdfast.protocol.senml.SenmlRecord;
import dev.holdfast.telemetry.Metrics;
import dev.holdfast.telemetry.Observation;
import dev.holdfast.telemetry.SafeText;
import dev.holdfast.telemetry.Severity;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.TreeMap;

/// From payloads to observations. Pure; everything is capped, and text is made safe here, once.
final class MessageCodec {
    private static final int LONGEST_TEXT = 4_096;
    private static final int LONGEST_NAME = 64;
    private static final int LONGEST_VALUE = 1_024;
    private static final int MOST_DETAILS = 64;
    private static final int MOST_SETTINGS = 256;
    private static final int MOST_RECORDS = 2_000;
    /// Devices without a good clock: what they say is taken only when it lies between these.
    private static final Duration OLDEST = Duration.ofDays(31);

    private static final Duration MOST_AHEAD = Duration.ofMinutes(5);
    private static final int CBOR_ARRAY = 4;

    private static final JsonFactory FLAT = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(4)
                    .maxNumberLength(64)
                    .maxNameLength(256)
                    .build())
            .build();

    private MessageCodec() {}

    /// A flat JSON object of numbers, or a SenML pack in JSON or CBOR; told apart by the first octet.
    static List<Observation.Measurement> telemetry(DeviceRef device, byte[] payload, Instant now)
            throws MalformedMessageException {
        int first = 0;
        while (first < payload.length && (payload[first] == ' ' || (payload[first] >= 9 && payload[first] <= 13))) {
            first++;
        }
        if (first == payload.length) {
            throw new MalformedMessageException("an empty measurement");
        }
        if (payload[first] == '{') {
            return List.of(new Observation.Measurement(device, now, now, flat(payload), false));
        }
        try {
            if (payload[first] == '[') {
                return senml(device, Senml.fromJson(payload, MOST_RECORDS, now), now);
            }
            if (((payload[0] & 0xff) >> 5) == CBOR_ARRAY) {
                return senml(device, Senml.fromCbor(payload, MOST_RECORDS, now), now);
            }
        } catch (MalformedSenmlException e) {
            throw new MalformedMessageException("SenML: " + e.getMessage(), e);
        }
        throw new MalformedMessageException("neither a JSON object of numbers nor SenML in JSON or CBOR");
    }

    private static Map<String, Double> flat(byte[] payload) throws MalformedMessageException {
        Map<String, Double> values = HashMap.newHashMap(8);
        try (JsonParser parser = FLAT.createParser(payload)) {
            parser.nextToken();
            String name;
            while ((name = parser.nextFieldName()) != null) {
                JsonToken value = parser.nextToken();
                if (value == null || !value.isNumeric()) {
                    throw new MalformedMessageException("'" + SafeText.of(name, LONGEST_NAME) + "' is not a number");
                }
                put(values, name, parser.getDoubleValue());
            }
            if (parser.currentToken() != JsonToken.END_OBJECT || parser.nextToken() != null) {
                throw new MalformedMessageException("not one JSON object of numbers");
            }
        } catch (IOException e) {
            throw new MalformedMessageException("not a JSON object of numbers", e);
        }
        if (values.isEmpty()) {
            throw new MalformedMessageException("an empty measurement");
        }
        return values;
    }

    private static void put(Map<String, Double> values, String metric, double value) throws MalformedMessageException {
        if (!Metrics.isName(metric)) {
            throw new MalformedMessageException(
                    "'" + SafeText.of(metric, LONGEST_NAME) + "' is not the name of a metric: letters, digits, -:./_");
        }
        if (!Double.isFinite(value)) {
            throw new MalformedMessageException(metric + " is not a finite number");
        }
        if (values.put(metric, value) != null) {
            throw new MalformedMessageException(metric + " stands there twice");
        }
        if (values.size() > Metrics.MOST) {
            throw new MalformedMessageException("more than " + Metrics.MOST + " metrics");
        }
    }

    private static List<Observation.Measurement> senml(DeviceRef device, List<SenmlRecord> records, Instant now)
            throws MalformedMessageException {
        Map<Instant, Map<String, Double>> byTime = new LinkedHashMap<>();
        for (SenmlRecord record : records) {
            if (record.value().isPresent()) {
                put(
                        byTime.computeIfAbsent(record.time(), _ -> HashMap.newHashMap(4)),
                        metric(device, record.name()),
                        record.value().getAsDouble());
            }
        }
        if (byTime.isEmpty()) {
            throw new MalformedMessageException("SenML without a numeric value");
        }
        List<Observation.Measurement> measurements = new ArrayList<>(byTime.size());
        byTime.forEach((said, values) ->
                measurements.add(new Observation.Measurement(device, now, measuredAt(said, now), values, false)));
        return measurements;
    }

    /// The part of a SenML name after the device's own id, where it contains that
    /// (`urn:dev:ops:acme-meter-1:kwh`).
    private static String metric(DeviceRef device, String name) {
        int at = name.indexOf(device.id().value());
        int end = at + device.id().value().length();
        return at >= 0 && end + 1 < name.length() && ":/_-.".indexOf(name.charAt(end)) >= 0
                ? name.substring(end + 1)
                : name;
    }

    /// What the device says, when its clock can be right; else the time of arrival.
    static Instant measuredAt(Instant said, Instant now) {
        return said.isAfter(now.plus(MOST_AHEAD)) || said.isBefore(now.minus(OLDEST)) ? now : said;
    }

    static Observation.LogLine log(DeviceRef device, byte[] payload, Instant now) throws MalformedMessageException {
        JsonNode message = message(payload);
        Severity severity = Severity.parse(text(message, "severity", 16))
                .orElseThrow(() -> new MalformedMessageException(
                        "severity must be one of emerg, alert, crit, err, warning, notice, info, debug"));
        return new Observation.LogLine(
                device, now, severity.keyword(), SafeText.of(text(message, "text", Integer.MAX_VALUE), LONGEST_TEXT));
    }

    static Observation.Event event(DeviceRef device, byte[] payload, Instant now) throws MalformedMessageException {
        JsonNode message = message(payload);
        String name = text(message, "name", LONGEST_NAME);
        if (!name.matches("[A-Za-z][A-Za-z0-9._-]*")) {
            throw new MalformedMessageException("an event's name is letters, digits, '.', '_', '-'");
        }
        JsonNode details = message.path("details");
        return new Observation.Event(
                device, now, name, details.isMissingNode() ? Map.of() : scalars(details, "details", MOST_DETAILS));
    }

    /// @param revision the last revision of `cmd` that the device says it applied
    record Reported(Observation.ConfigurationReport report, OptionalLong revision) {}

    static Reported config(DeviceRef device, byte[] payload, Instant now) throws MalformedMessageException {
        JsonNode message = message(payload);
        JsonNode revision = message.path("revision");
        if (!revision.isMissingNode() && !(revision.isIntegralNumber() && revision.canConvertToLong())) {
            throw new MalformedMessageException("revision is not a whole number");
        }
        return new Reported(
                new Observation.ConfigurationReport(
                        device, now, scalars(message.path("settings"), "settings", MOST_SETTINGS)),
                revision.isMissingNode() ? OptionalLong.empty() : OptionalLong.of(revision.asLong()));
    }

    /// Version 1; other keys than ours are not looked at, so that devices may send more.
    private static JsonNode message(byte[] payload) throws MalformedMessageException {
        try {
            JsonNode message = Json.tree(new String(payload, StandardCharsets.UTF_8));
            if (!message.isObject()) {
                throw new MalformedMessageException("not a JSON object");
            }
            if (!message.path("v").isInt() || message.path("v").asInt() != 1) {
                throw new MalformedMessageException("\"v\" must be 1");
            }
            return message;
        } catch (JsonProcessingException e) {
            throw new MalformedMessageException("not JSON", e);
        }
    }

    private static String text(JsonNode message, String key, int most) throws MalformedMessageException {
        JsonNode value = message.path(key);
        if (!value.isTextual() || value.textValue().length() > most) {
            throw new MalformedMessageException("\"" + key + "\" must be text"
                    + (most < Integer.MAX_VALUE ? " of at most " + most + " characters" : ""));
        }
        return value.textValue();
    }

    private static Map<String, String> scalars(JsonNode object, String what, int most)
            throws MalformedMessageException {
        if (!object.isObject() || object.size() > most) {
            throw new MalformedMessageException("\"" + what + "\" must be an object of at most " + most + " values");
        }
        Map<String, String> values = new TreeMap<>();
        for (Map.Entry<String, JsonNode> entry : object.properties()) {
            if (!entry.getValue().isValueNode()) {
                throw new MalformedMessageException("a value in \"" + what + "\" is not text, number, true or false");
            }
            values.put(
                    SafeText.of(entry.getKey(), 2 * LONGEST_NAME),
                    SafeText.of(entry.getValue().asText(), LONGEST_VALUE));
        }
        return values;
    }
}
