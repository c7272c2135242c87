package dev.holdfast.cli;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// The journal: read, and verified on this machine without trusting the server's own word.
@Command(
        name = "audit",
        mixinStandardHelpOptions = true,
        description = "Reads and verifies the journal.",
        synopsisSubcommandLabel = "COMMAND")
final class AuditCommand {
    private static final Table ENTRIES = Table.of(
            "number",
            "No entries.",
            "NUMBER=number",
            "AT=at",
            "KIND=kind",
            "SUBJECT=subject",
            "BY=actor",
            "REASON=reason");

    @Command(name = "log", mixinStandardHelpOptions = true, description = "Shows entries, newest first.")
    void log(
            @Mixin ServerOptions server,
            @Option(names = "--subject", defaultValue = "", description = "Such as device:m-1") String subject,
            @Option(names = "--kind", defaultValue = "", description = "Such as device.quarantined") String kind,
            @Option(names = "--most", defaultValue = "50") int most) {
        server.list("/journal", ApiClient.query("subject", subject, "kind", kind), "entries", most, ENTRIES);
    }

    @Command(
            name = "verify",
            mixinStandardHelpOptions = true,
            description = "Fetches every entry and recomputes the chain here, and compares it with what left the"
                    + " server's machine; exit code 1 names the first fault.")
    void verify(
            @Mixin ServerOptions server,
            @Option(
                            names = {"--stream", "--checkpoint"},
                            paramLabel = "PATH",
                            description = "The exported journal (journalExport), one branch of it, or a file of"
                                    + " checkpoints: without it a tail that was cut off can't be seen.")
                    @Nullable
                    Path stream,
            @Option(
                            names = "--public-key",
                            paramLabel = "FILE",
                            description = "The server's checkpoint key as you noted it (default: the file public-key"
                                    + " beside the checkpoints).")
                    @Nullable
                    Path key) {
        List<ExportedStream> left = stream == null ? List.of() : ExportedStream.read(stream, key);
        JournalChain chain = JournalChain.fetch(server.client());
        List<String> told = left.stream().map(one -> one.compare(chain)).toList();
        System.out.println("Intact: " + chain.last() + " entries, chain hash " + chain.hash(chain.last()));
        told.forEach(System.out::println);
    }
}
