package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// The part of `holdfast db` that a person does on the running server; backup, restore and merge work on the data
/// folder itself.
@Command(
        name = "db",
        mixinStandardHelpOptions = true,
        description = "After a restore: shows the freeze, and accepts the loss. (backup, verify, restore and merge work"
                + " on the server's own machine: holdfast db --help)",
        synopsisSubcommandLabel = "COMMAND")
final class DbCommand {
    @Command(
            name = "freeze",
            mixinStandardHelpOptions = true,
            description =
                    "Whether a restore is not settled (no device is let in, nothing issued or offered), and who has"
                            + " accepted the loss.")
    void freeze(@Mixin ServerOptions server) {
        System.out.println(sentence(server.client().get("/freeze")));
    }

    @Command(
            name = "accept-loss",
            mixinStandardHelpOptions = true,
            description = "Accepts, in writing, that revocations and stops since the backup are lost. Two different"
                    + " operators must, each with a token of their own and within 15 minutes of signing in to the"
                    + " console.")
    void acceptLoss(@Mixin ServerOptions server, @Mixin Because because) {
        System.out.println(sentence(server.client().post("/freeze/accept-loss", because.body())));
    }

    private static String sentence(JsonNode freeze) {
        if (!freeze.path("frozen").asBoolean()) {
            return "Not frozen.";
        }
        StringBuilder text = new StringBuilder("Frozen since " + Printer.plain(freeze.path("since")) + ": "
                + Printer.plain(freeze.path("reason")) + ". The backup ends at journal entry "
                + Printer.plain(freeze.path("backupNumber")) + ".");
        for (JsonNode one : freeze.path("acceptedBy")) {
            text.append("\nAccepted by ")
                    .append(Printer.plain(one.hasNonNull("name") ? one.path("name") : one.path("operator")))
                    .append(" at ")
                    .append(Printer.plain(one.path("at")))
                    .append(": ")
                    .append(Printer.plain(one.path("statement")));
        }
        int missing = freeze.path("needed").asInt() - freeze.path("acceptedBy").size();
        return text + "\n"
                + (freeze.path("mergeReady").asBoolean()
                        ? "The stream that left the machine was read; restart the server to apply it."
                        : missing + (missing == 1 ? " more person" : " people")
                                + " must accept the loss (holdfast db accept-loss), or the stream be merged (holdfast"
                                + " db merge).");
    }
}
