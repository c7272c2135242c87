package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// Looks at the server as an operator would, and says what to mend.
@Command(
        name = "doctor",
        mixinStandardHelpOptions = true,
        description = "Checks the server and says what to mend; exit code 1 when a check failed.")
final class DoctorCommand implements java.util.concurrent.Callable<Integer> {
    private static final Table CHECKS =
            Table.of("name", "No checks.", "RESULT=result", "CHECK=name", "WHAT=sentence", "FIX=fix");

    @Mixin
    private ServerOptions server = new ServerOptions();

    @Override
    public Integer call() {
        ApiClient client = server.client();
        JsonNode status = client.get("/server");
        List<JsonNode> checks = new ArrayList<>();
        status.path("checks").forEach(checks::add);
        checks.add(clock(status));
        JsonNode journal = client.get("/journal/verify");
        checks.add(check(
                "journal",
                journal.path("intact").asBoolean() ? "ok" : "failed",
                Printer.plain(journal.path("sentence")),
                ""));
        server.printer().rows(checks, CHECKS);
        return checks.stream().anyMatch(c -> c.path("result").asText().equals("failed")) ? 1 : 0;
    }

    private static JsonNode clock(JsonNode status) {
        Duration skew = Duration.between(
                        Instant.parse(status.path("now").asText()),
                        Clock.systemUTC().instant())
                .abs();
        return skew.toSeconds() > 30
                ? check(
                        "clock",
                        "warning",
                        "this machine and the server differ by " + skew.toSeconds() + " s",
                        "synchronise both (NTP): certificates and signatures depend on time")
                : check("clock", "ok", "this machine and the server agree", "");
    }

    private static JsonNode check(String name, String result, String sentence, String fix) {
        return ApiClient.object()
                .put("name", name)
                .put("result", result)
                .put("sentence", sentence)
                .put("fix", fix);
    }
}
