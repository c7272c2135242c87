package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.protocol.inspect.Inspected;
import dev.holdfast.protocol.inspect.Inspection;
import dev.holdfast.protocol.x509.X509FormatException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// What a file of certificates holds, or what a serial number is: in words.
@Command(
        name = "inspect",
        mixinStandardHelpOptions = true,
        description = {
            "Says in plain words what a file of certificates, requests or revocation lists holds (PEM, DER, base64,"
                    + " PKCS#7), and what the fleet knows of it.",
            "A file is read here; only its serial numbers are asked for, and not with --offline."
        })
final class InspectCommand implements Callable<Integer> {
    @Mixin
    private ServerOptions server = new ServerOptions();

    @Parameters(paramLabel = "FILE|SERIAL", description = "A file (- for standard input), or a serial number.")
    private String what = "";

    @Option(names = "--offline", description = "Ask no server.")
    private boolean offline;

    @Option(names = "--issuer", paramLabel = "FILE", description = "Certificates that may have signed it, PEM.")
    private @Nullable Path issuer;

    @Override
    public Integer call() {
        Instant now = Clock.systemUTC().instant();
        ArrayNode answers = ApiClient.JSON.createArrayNode();
        for (Inspected one : isFile(what) ? read(what, issuer, now) : ofSerial(now)) {
            answers.add(answer(one));
        }
        Printer printer = server.printer();
        if (printer.format() != Printer.Format.table) {
            printer.rows(ApiClient.rows(answers), Table.of("serial", ""));
        } else {
            answers.forEach(answer -> print(printer, answer));
        }
        return 0;
    }

    static boolean isFile(String what) {
        return what.equals("-") || Files.isRegularFile(Path.of(what));
    }

    /// @throws ApiException when it can't be read
    static List<Inspected> read(String file, @Nullable Path issuer, Instant now) {
        try {
            byte[] content = file.equals("-") ? System.in.readNBytes(16 << 20) : InputFile.bytes(Path.of(file));
            if (content.length == 0) {
                throw new ApiException(1, (file.equals("-") ? "standard input" : "the file " + file) + " is empty");
            }
            return Inspection.read(content, issuer == null ? new byte[0] : InputFile.bytes(issuer), now);
        } catch (IOException e) {
            throw InputFile.fault(Path.of(file), e);
        } catch (X509FormatException e) {
            throw new ApiException(1, file + ": " + e.getMessage());
        }
    }

    private List<Inspected> ofSerial(Instant now) {
        if (!SerialNumber.isOne(what)) {
            throw new ApiException(
                    3,
                    Files.isDirectory(Path.of(what))
                            ? what + " is a folder, not a file"
                            : "there is no file " + what + ", and it is not a serial number (hexadecimal) either");
        }
        JsonNode known = server.client().get(SerialNumber.path(what));
        try {
            return Inspection.read(
                    known.path("pem").asText("").getBytes(StandardCharsets.US_ASCII),
                    server.client().text("/ca.pem", java.util.Map.of()).getBytes(StandardCharsets.US_ASCII),
                    now);
        } catch (X509FormatException e) {
            throw new ApiException(1, "certificate " + what + " is not signed yet");
        }
    }

    private ObjectNode answer(Inspected one) {
        ObjectNode answer = ApiClient.object()
                .put("kind", one.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'))
                .put("headline", one.headline());
        one.serial().ifPresent(serial -> answer.put("serial", serial));
        ObjectNode facts = answer.putObject("facts");
        one.facts().forEach(fact -> {
            String before = facts.path(fact.name()).asText("");
            facts.put(fact.name(), before.isEmpty() ? fact.text() : before + "; " + fact.text());
        });
        ArrayNode faults = answer.putArray("faults");
        one.faults().forEach(faults::add);
        if (!offline) {
            one.serial().flatMap(this::fleet).ifPresent(text -> answer.put("fleet", text));
        }
        return answer;
    }

    /// What the fleet's record says of this serial, in a sentence.
    private Optional<String> fleet(String serial) {
        try {
            JsonNode known = server.client().get("/certificates/" + serial);
            String ended = known.hasNonNull("revocationCode")
                    ? " (" + Printer.plain(known.path("revocationCode")) + ", since "
                            + Printer.plain(known.path("revokedAt")) + ")"
                    : "";
            String status = Printer.plain(known.path("status"));
            return Optional.of((status.equals("valid") ? "" : "IT DOES NOT COUNT: it is " + status + ended + ". ")
                    + "This server issued it to device " + Printer.plain(known.path("device")) + " by profile "
                    + Printer.plain(known.path("profile")) + (status.equals("valid") ? "; it is valid." : "."));
        } catch (ApiException e) {
            return e.exitCode() == 3
                    ? Optional.of("This server has issued no certificate with this serial number to a device.")
                    : Optional.of("Not asked: "
                            + String.valueOf(e.getMessage()).lines().findFirst().orElse(""));
        }
    }

    private static void print(Printer printer, JsonNode answer) {
        var out = printer.out();
        out.println(answer.path("headline").asText());
        if (answer.hasNonNull("fleet")) {
            out.println("  " + Printer.plain(answer.path("fleet")));
        }
        int width = answer.path("facts")
                        .propertyStream()
                        .mapToInt(f -> f.getKey().length())
                        .max()
                        .orElse(0)
                + 2;
        answer.path("facts")
                .propertyStream()
                .forEach(fact -> out.printf("  %-" + width + "s%s%n", fact.getKey(), Printer.plain(fact.getValue())));
        if (answer.path("faults").isEmpty()) {
            if (!answer.path("kind").asText().equals("private-key")) {
                out.println("  No faults found.");
            }
        } else {
            answer.path("faults").forEach(fault -> out.println("  FAULT: " + Printer.plain(fault)));
        }
        out.println();
    }
}
