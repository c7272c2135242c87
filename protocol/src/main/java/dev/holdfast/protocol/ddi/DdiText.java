package dev.holdfast.protocol.ddi;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;

/// Reads what devices send: bounded, lenient about what is unknown, and harmless to show.
final class DdiText {
    static final JsonMapper JSON = new JsonMapper();

    static {
        JSON.getFactory()
                .setStreamReadConstraints(StreamReadConstraints.builder()
                        .maxNestingDepth(16)
                        .maxStringLength(200_000)
                        .maxNumberLength(64)
                        .build());
    }

    private DdiText() {}

    static JsonNode object(byte[] body) throws DdiException {
        try {
            JsonNode tree = JSON.readTree(body);
            if (tree != null && tree.isObject()) {
                return tree;
            }
        } catch (IOException e) {
            throw new DdiException("not JSON within the bounds");
        }
        throw new DdiException("not a JSON object");
    }

    /// Control characters, line breaks and marks that reorder text become `?`; what is longer is cut off and says so.
    static String safe(String text, int most) {
        StringBuilder safe = new StringBuilder(Math.min(text.length(), most));
        for (int i = 0; i < text.length(); ) {
            int point = text.codePointAt(i);
            i += Character.charCount(point);
            if (safe.length() + 2 > most) {
                return safe.append('…').toString();
            }
            switch (Character.getType(point)) {
                case Character.CONTROL,
                        Character.FORMAT,
                        Character.SURROGATE,
                        Character.LINE_SEPARATOR,
                        Character.PARAGRAPH_SEPARATOR,
                        Character.UNASSIGNED,
                        Character.PRIVATE_USE -> safe.append(point == '\n' || point == '\t' ? ' ' : '?');
                default -> safe.appendCodePoint(point);
            }
        }
        return safe.toString();
    }
}
