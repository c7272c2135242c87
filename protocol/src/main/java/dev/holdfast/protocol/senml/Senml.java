package dev.holdfast.protocol.senml;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.dataformat.cbor.CBORFactory;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/// Reads SenML packs (RFC 8428) in JSON (section 5) and CBOR (section 6) into resolved records.
public final class Senml {
    private static final int VERSION = 10;
    /// Times below this are relative to now (section 4.5.3).
    private static final double ABSOLUTE = 1L << 28;
    private static final double MOST_SECONDS = 1e11;
    private static final StreamReadConstraints BOUNDS = StreamReadConstraints.builder()
            .maxNestingDepth(8)
            .maxNumberLength(64)
            .maxStringLength(65_536)
            .maxNameLength(256)
            .build();
    private static final JsonFactory JSON = JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
            .streamReadConstraints(BOUNDS)
            .build();
    private static final CBORFactory CBOR =
            CBORFactory.builder().streamReadConstraints(BOUNDS).build();
    /// Section 6, table 4: the integer labels.
    private static final Map<Integer, String> LABELS = Map.ofEntries(
            Map.entry(-1, "bver"),
            Map.entry(-2, "bn"),
            Map.entry(-3, "bt"),
            Map.entry(-4, "bu"),
            Map.entry(-5, "bv"),
            Map.entry(-6, "bs"),
            Map.entry(0, "n"),
            Map.entry(1, "u"),
            Map.entry(2, "v"),
            Map.entry(3, "vs"),
            Map.entry(4, "vb"),
            Map.entry(5, "s"),
            Map.entry(6, "t"),
            Map.entry(7, "ut"),
            Map.entry(8, "vd"));

    private Senml() {}

    /// Reads a pack in JSON.
    ///
    /// @param most records; a pack with more is refused
    /// @param now what relative times are relative to
    public static List<SenmlRecord> fromJson(byte[] pack, int most, Instant now) throws MalformedSenmlException {
        try (JsonParser parser = JSON.createParser(pack)) {
            return read(parser, most, now);
        } catch (IOException e) {
            throw new MalformedSenmlException("not JSON", e);
        }
    }

    /// Reads a pack in CBOR.
    ///
    /// @param most records; a pack with more is refused
    /// @param now what relative times are relative to
    public static List<SenmlRecord> fromCbor(byte[] pack, int most, Instant now) throws MalformedSenmlException {
        try (JsonParser parser = CBOR.createParser(pack)) {
            return read(parser, most, now);
        } catch (IOException e) {
            throw new MalformedSenmlException("not CBOR", e);
        }
    }

    private static List<SenmlRecord> read(JsonParser parser, int most, Instant now)
            throws IOException, MalformedSenmlException {
        if (parser.nextToken() != JsonToken.START_ARRAY) {
            throw new MalformedSenmlException("a pack is an array");
        }
        Base base = new Base();
        List<SenmlRecord> records = new ArrayList<>();
        JsonToken token;
        while ((token = parser.nextToken()) == JsonToken.START_OBJECT) {
            if (records.size() >= most) {
                throw new MalformedSenmlException("more than " + most + " records");
            }
            Raw raw = record(parser, base);
            if (raw.hasValue()) {
                records.add(resolve(raw, base, now));
            } else if (raw.name != null || raw.time != 0) {
                throw new MalformedSenmlException("a record without a value"); // section 4.2
            }
        }
        if (token != JsonToken.END_ARRAY || parser.nextToken() != null) {
            throw new MalformedSenmlException("not one array of records");
        }
        return records;
    }

    /// Base fields stand until they are set again (section 4.1).
    private static final class Base {
        String name = "";
        double time;

        @Nullable
        String unit;

        double value;
        double sum;

        @Nullable
        Integer version;
    }

    private static final class Raw {
        @Nullable
        String name;

        @Nullable
        String unit;

        double time;

        @Nullable
        Double value;

        @Nullable
        Double sum;

        @Nullable
        String text;

        @Nullable
        Boolean bool;

        boolean data;

        boolean hasValue() {
            return value != null || sum != null || text != null || bool != null || data;
        }
    }

    /// Section 4.6 in steps.
    private static SenmlRecord resolve(Raw raw, Base base, Instant now) throws MalformedSenmlException {
        // 1. The name is base name and name together, and must be of the form of section 4.5.1.
        String name = base.name + (raw.name == null ? "" : raw.name);
        if (!isName(name)) {
            throw new MalformedSenmlException("a name that is empty, too long or has characters not allowed");
        }
        // 2. At most one value (section 4.2), to which the base value is added; finite.
        int values = (raw.value == null ? 0 : 1)
                + (raw.text == null ? 0 : 1)
                + (raw.bool == null ? 0 : 1)
                + (raw.data ? 1 : 0);
        if (values > 1) {
            throw new MalformedSenmlException("a record with two values");
        }
        // 3. Time is the sum of both; small ones are relative to now (section 4.5.3).
        double seconds = base.time + raw.time;
        String unit = raw.unit == null ? base.unit : raw.unit;
        return new SenmlRecord(
                name,
                time(seconds, now),
                Optional.ofNullable(unit),
                raw.value == null ? OptionalDouble.empty() : OptionalDouble.of(finite(base.value + raw.value)),
                raw.sum == null ? OptionalDouble.empty() : OptionalDouble.of(finite(base.sum + raw.sum)),
                Optional.ofNullable(raw.text),
                Optional.ofNullable(raw.bool));
    }

    private static Raw record(JsonParser parser, Base base) throws IOException, MalformedSenmlException {
        Raw raw = new Raw();
        int seen = 0;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            if (++seen > 64) {
                throw new MalformedSenmlException("a record with more than 64 fields");
            }
            String label = label(parser.currentName());
            JsonToken value = parser.nextToken();
            switch (label) {
                case "bver" -> version(base, value, parser);
                case "bn" -> base.name = text(value, parser);
                case "bt" -> base.time = number(value, parser);
                case "bu" -> base.unit = text(value, parser);
                case "bv" -> base.value = number(value, parser);
                case "bs" -> base.sum = number(value, parser);
                case "n" -> raw.name = text(value, parser);
                case "u" -> raw.unit = text(value, parser);
                case "v" -> raw.value = number(value, parser);
                case "s" -> raw.sum = number(value, parser);
                case "vs" -> raw.text = text(value, parser);
                case "vb" -> raw.bool = bool(value);
                case "vd" -> {
                    if (value != JsonToken.VALUE_STRING && value != JsonToken.VALUE_EMBEDDED_OBJECT) {
                        throw new MalformedSenmlException("data of a wrong type");
                    }
                    raw.data = true;
                }
                case "t" -> raw.time = number(value, parser);
                case "ut" -> number(value, parser);
                default -> {
                    // Section 4.4: unknown fields are ignored unless their name says that they must be understood.
                    if (label.endsWith("_")) {
                        throw new MalformedSenmlException("a field that must be understood and is not");
                    }
                    parser.skipChildren();
                }
            }
        }
        if (parser.currentToken() != JsonToken.END_OBJECT) {
            throw new MalformedSenmlException("a record that does not end");
        }
        return raw;
    }

    private static void version(Base base, JsonToken value, JsonParser parser)
            throws IOException, MalformedSenmlException {
        if (value != JsonToken.VALUE_NUMBER_INT || parser.getNumberType() != JsonParser.NumberType.INT) {
            throw new MalformedSenmlException("a version that is not a number");
        }
        int version = parser.getIntValue();
        if (version < 1 || version > VERSION || (base.version != null && base.version != version)) {
            throw new MalformedSenmlException("a version other than " + VERSION); // section 4.4
        }
        base.version = version;
    }

    /// CBOR labels are integers; the parser gives them as text.
    private static String label(String name) throws MalformedSenmlException {
        if (name.isEmpty() || (name.charAt(0) != '-' && !Character.isDigit(name.charAt(0))) || name.length() > 3) {
            return name;
        }
        try {
            String label = LABELS.get(Integer.parseInt(name));
            return label == null ? name : label;
        } catch (NumberFormatException e) {
            throw new MalformedSenmlException("a label that is no label", e);
        }
    }

    private static String text(JsonToken value, JsonParser parser) throws IOException, MalformedSenmlException {
        if (value != JsonToken.VALUE_STRING) {
            throw new MalformedSenmlException("a field of a wrong type: text was expected");
        }
        return parser.getText();
    }

    private static boolean bool(JsonToken value) throws MalformedSenmlException {
        return switch (value) {
            case VALUE_TRUE -> true;
            case VALUE_FALSE -> false;
            default -> throw new MalformedSenmlException("a field of a wrong type: true or false was expected");
        };
    }

    private static double number(JsonToken value, JsonParser parser) throws IOException, MalformedSenmlException {
        if (value == null || !value.isNumeric()) {
            throw new MalformedSenmlException("a field of a wrong type: a number was expected");
        }
        return finite(parser.getDoubleValue());
    }

    private static double finite(double value) throws MalformedSenmlException {
        if (!Double.isFinite(value)) {
            throw new MalformedSenmlException("a number that is not finite");
        }
        return value;
    }

    private static Instant time(double seconds, Instant now) throws MalformedSenmlException {
        if (Math.abs(seconds) > MOST_SECONDS) {
            throw new MalformedSenmlException("a time out of all range");
        }
        // By way of decimals: the double nearest to 1.1 has 17 digits, of which nanoseconds take nine.
        BigDecimal exact = BigDecimal.valueOf(seconds).setScale(9, RoundingMode.HALF_EVEN);
        long whole = exact.setScale(0, RoundingMode.FLOOR).longValueExact();
        long nanos = exact.subtract(BigDecimal.valueOf(whole)).movePointRight(9).longValueExact();
        return seconds < ABSOLUTE ? now.plusSeconds(whole).plusNanos(nanos) : Instant.ofEpochSecond(whole, nanos);
    }

    /// Section 4.5.1: A-Z, a-z, 0-9, `-`, `:`, `.`, `/`, `_`; begins with a letter or digit.
    private static boolean isName(String name) {
        if (name.isEmpty() || name.length() > 256) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean alphanumeric = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
            if (!alphanumeric && (i == 0 || "-:./_".indexOf(c) < 0)) {
                return false;
            }
        }
        return true;
    }
}
