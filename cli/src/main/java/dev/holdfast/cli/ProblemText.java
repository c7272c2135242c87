package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/// What the server's problem (RFC 9457) says to somebody at a command line: cause, fix, and the reference to quote,
/// each once. The server's own fixes speak to who writes requests; here they are said in terms of commands.
final class ProblemText {
    private ProblemText() {}

    static String of(int status, JsonNode problem) {
        List<String> lines = new ArrayList<>();
        List<String> faults = new ArrayList<>();
        String detail = Printer.plain(problem.hasNonNull("detail") ? problem.path("detail") : problem.path("title"));
        boolean repeats = false; // a malformed request's detail is its first fault
        for (JsonNode error : problem.path("errors")) {
            String at = Printer.plain(error.path("at"));
            String message = Printer.plain(error.path("message"));
            repeats |= detail.equals(at + ": " + message);
            String where = at.replaceFirst("^[/?]", "");
            faults.add(where.isEmpty() ? "all of it " + inWords(message) : where + ": " + inWords(message));
        }
        if (!repeats) {
            lines.add(detail.isEmpty() ? "refused, HTTP " + status : detail);
            faults.forEach(fault -> lines.add("  " + fault));
        } else if (faults.size() == 1) {
            lines.add(faults.getFirst());
        } else {
            lines.add(faults.size() + " faults:");
            faults.forEach(fault -> lines.add("  " + fault));
        }
        String fix = fix(status, problem);
        if (!fix.isEmpty()) {
            lines.add("  Fix: " + fix);
        }
        if (problem.hasNonNull("reference")) {
            lines.add("  Reference: " + Printer.plain(problem.path("reference")));
        }
        return String.join("\n", lines);
    }

    /// The forms that people meet; the others are rare enough to stand as they are.
    private static String inWords(String message) {
        return switch (message) {
            case "is not of the form ^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$" ->
                "is not a name of this sort: letters, digits, '.', '_' and '-', at most 64, the first a letter or digit";
            case "is not of the form ^[0-9A-Fa-f:]{1,59}$" -> "is not a serial number (hexadecimal)";
            default -> message;
        };
    }

    private static String fix(int status, JsonNode problem) {
        String type = problem.path("type").asText();
        return switch (type.substring(type.lastIndexOf('/') + 1)) {
            case "malformed-request" -> "the command's --help says which values it takes";
            case "not-signed-in" -> "sign in: holdfast login --url URL --token-file FILE (or set HOLDFAST_CLI_TOKEN)";
            case "not-allowed" ->
                "sign in with a token that may (holdfast login), or have an admin make one: console, Operators";
            case "not-found" -> "check the spelling and --environment; `list` shows what there is";
            case "method-not-allowed", "wrong-media-type", "idempotency-key-reused" ->
                "this command line and the server are of different versions, it seems: use the same";
            case "conflict" -> ""; // the detail says what stands in the way
            case "changed-meanwhile" -> "somebody else changed it: look at it again, then repeat the command";
            default -> otherwise(status, problem);
        };
    }

    private static String otherwise(int status, JsonNode problem) {
        if (problem.hasNonNull("fix")) {
            return Printer.plain(problem.path("fix"));
        }
        return status == 401 ? "sign in: holdfast login --url URL --token-file FILE (or set HOLDFAST_CLI_TOKEN)" : "";
    }
}
