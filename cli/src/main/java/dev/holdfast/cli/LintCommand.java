package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.protocol.inspect.Inspected;
import dev.holdfast.protocol.inspect.Lint;
import dev.holdfast.protocol.x509.Pem;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The rules by which our own certificates are made, held against any file; and what a profile would say.
@Command(
        name = "lint",
        mixinStandardHelpOptions = true,
        description = {
            "Holds certificates and requests to the rules by which Holdfast makes its own (RFC 5280 and stricter).",
            "The exit code is 1 when there is a fault."
        })
final class LintCommand implements Callable<Integer> {
    @Mixin
    private ServerOptions server = new ServerOptions();

    @Parameters(paramLabel = "FILE", description = "PEM, DER, base64 or PKCS#7; - for standard input.")
    private String file = "";

    @Option(names = "--issuer", paramLabel = "FILE", description = "Certificates that may have signed it, PEM.")
    private @Nullable Path issuer;

    @Option(names = "--profile", paramLabel = "NAME", description = "Ask the server what this profile would say.")
    private @Nullable String profile;

    @Override
    public Integer call() {
        if (!InspectCommand.isFile(file) && SerialNumber.isOne(file)) {
            throw new ApiException(
                    2, "there is no file " + file + "; if it is a serial number: holdfast cert inspect " + file);
        }
        List<Inspected> found =
                InspectCommand.read(file, issuer, Clock.systemUTC().instant());
        if (!found.isEmpty() && found.stream().allMatch(one -> one.kind() == Inspected.Kind.PRIVATE_KEY)) {
            throw new ApiException(
                    1, file + " holds a private key and no certificate or request: give the file beside it");
        }
        List<List<String>> faults = Lint.faults(found);
        List<JsonNode> answers = new ArrayList<>();
        int count = 0;
        for (int i = 0; i < found.size(); i++) {
            ObjectNode answer = ApiClient.object().put("headline", found.get(i).headline());
            ArrayNode all = answer.putArray("faults");
            faults.get(i).forEach(all::add);
            byProfile(found.get(i)).forEach(fault -> all.add("profile " + profile + ": " + fault));
            count += all.size();
            answers.add(answer);
        }
        print(answers);
        return count == 0 ? 0 : 1;
    }

    private List<String> byProfile(Inspected one) {
        String label = switch (one.kind()) {
            case CERTIFICATE -> Pem.CERTIFICATE;
            case REQUEST -> Pem.CERTIFICATE_REQUEST;
            case REVOCATION_LIST, PRIVATE_KEY, UNREADABLE -> "";
        };
        if (profile == null || label.isEmpty()) {
            return List.of();
        }
        List<String> faults = new ArrayList<>();
        server.client()
                .post(
                        "/certificate-profiles/" + ApiClient.encode(profile) + "/lint",
                        ApiClient.object().put("pem", Pem.encode(label, one.der())))
                .path("faults")
                .forEach(fault -> faults.add(Printer.plain(fault)));
        return faults;
    }

    private void print(List<JsonNode> answers) {
        Printer printer = server.printer();
        if (printer.format() != Printer.Format.table) {
            printer.rows(answers, Table.of("headline", ""));
            return;
        }
        for (JsonNode answer : answers) {
            printer.out().println(Printer.plain(answer.path("headline")));
            answer.path("faults").forEach(fault -> printer.out().println("  FAULT: " + Printer.plain(fault)));
            if (answer.path("faults").isEmpty()) {
                printer.out().println("  No faults found.");
            }
        }
    }
}
