package dev.holdfast.protocol.ddi;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// What a device says of an action: `{"id":"7","status":{"execution":"closed","result":{"finished":"success"},`
/// `"details":["..."]}}`.
///
/// Clients differ, so the reading is lenient: an unknown execution counts as proceeding, details may be one string,
/// and what is too long is cut off instead of refused: a device must be able to say that it failed, however badly it
/// says it.
///
/// @param details in one line, harmless to show, at most [#MOST_DETAILS] characters
public record DdiFeedback(Execution execution, Finished finished, String details) {
    public static final int MOST_DETAILS = 2_000;
    private static final int MOST_LINES = 50;

    public enum Execution {
        CLOSED,
        PROCEEDING,
        DOWNLOAD,
        DOWNLOADED,
        CANCELED,
        SCHEDULED,
        REJECTED,
        RESUMED
    }

    public enum Finished {
        SUCCESS,
        FAILURE,
        NONE
    }

    public static DdiFeedback parse(byte[] body) throws DdiException {
        JsonNode status = DdiText.object(body).path("status");
        if (!status.isObject()) {
            throw new DdiException("feedback without status");
        }
        List<String> lines = new ArrayList<>();
        JsonNode details = status.path("details");
        if (details.isArray()) {
            for (JsonNode line : details) {
                if (lines.size() < MOST_LINES && line.isValueNode()) {
                    lines.add(line.asText());
                }
            }
        } else if (details.isTextual()) {
            lines.add(details.asText());
        }
        return new DdiFeedback(
                execution(status.path("execution").asText()),
                finished(status.path("result").path("finished").asText()),
                DdiText.safe(String.join(" | ", lines), MOST_DETAILS));
    }

    private static Execution execution(String text) {
        for (Execution execution : Execution.values()) {
            if (execution.name().toLowerCase(Locale.ROOT).equals(text)) {
                return execution;
            }
        }
        return text.equals("cancelled") ? Execution.CANCELED : Execution.PROCEEDING;
    }

    private static Finished finished(String text) {
        return switch (text) {
            case "success" -> Finished.SUCCESS;
            case "failure" -> Finished.FAILURE;
            default -> Finished.NONE;
        };
    }
}
