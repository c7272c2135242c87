package dev.holdfast.protocol.acme;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Optional;

/// Reads JSON and base64url as strictly as JOSE wants them: no name twice, nothing after the end, bounded; no
/// padding, no other alphabet, no loose bits at the end (RFC 7515 section 2).
final class AcmeText {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    static {
        JSON.getFactory()
                .setStreamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(8)
                        .maxStringLength(64 * 1024)
                        .maxNumberLength(32)
                        .build());
    }

    private AcmeText() {}

    static JsonNode object(byte[] bytes, String what) throws AcmeException {
        try {
            JsonNode tree = JSON.readTree(bytes);
            if (tree != null && tree.isObject()) {
                return tree;
            }
        } catch (IOException e) {
            throw malformed(what + " is not JSON within the bounds");
        }
        throw malformed(what + " is not a JSON object");
    }

    static byte[] base64url(String text, String what) throws AcmeException {
        try {
            byte[] bytes = Base64.getUrlDecoder().decode(text);
            if (encode(bytes).equals(text)) {
                return bytes;
            }
        } catch (IllegalArgumentException e) {
            throw malformed(what + " is not base64url");
        }
        throw malformed(what + " is not base64url without padding");
    }

    static String encode(byte[] bytes) {
        return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
    }

    /// The text of a member that must be there.
    static String text(JsonNode object, String member, String what) throws AcmeException {
        return optionalText(object, member, what).orElseThrow(() -> malformed(what + " has no '" + member + "'"));
    }

    static Optional<String> optionalText(JsonNode object, String member, String what) throws AcmeException {
        JsonNode found = object.get(member);
        if (found == null || found.isNull()) {
            return Optional.empty();
        }
        if (!found.isTextual()) {
            throw malformed(what + ": '" + member + "' is not a string");
        }
        return Optional.of(found.asText());
    }

    static boolean flag(JsonNode object, String member, String what) throws AcmeException {
        JsonNode found = object.get(member);
        if (found == null || found.isNull()) {
            return false;
        }
        if (!found.isBoolean()) {
            throw malformed(what + ": '" + member + "' is neither true nor false");
        }
        return found.asBoolean();
    }

    static List<String> texts(JsonNode object, String member, int most, String what) throws AcmeException {
        JsonNode found = object.get(member);
        List<String> all = new ArrayList<>();
        if (found == null || found.isNull()) {
            return all;
        }
        if (!found.isArray() || found.size() > most) {
            throw malformed(what + ": '" + member + "' is not a list of at most " + most);
        }
        for (JsonNode one : found) {
            if (!one.isTextual()) {
                throw malformed(what + ": '" + member + "' holds something that is not a string");
            }
            all.add(one.asText());
        }
        return all;
    }

    static Optional<Instant> time(JsonNode object, String member, String what) throws AcmeException {
        Optional<String> text = optionalText(object, member, what);
        try {
            return text.map(Instant::parse);
        } catch (DateTimeParseException e) {
            throw malformed(what + ": '" + member + "' is not a time of RFC 3339");
        }
    }

    static AcmeException malformed(String detail) {
        return new AcmeException(AcmeProblem.MALFORMED, detail);
    }
}
