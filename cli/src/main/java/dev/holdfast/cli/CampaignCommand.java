package dev.holdfast.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Replacing authorities: a campaign that leaves no device behind, and the emergency after a key is stolen.
@Command(
        name = "campaign",
        mixinStandardHelpOptions = true,
        description = "Replaces an issuer or the root, with progress and who is missing.",
        synopsisSubcommandLabel = "COMMAND")
final class CampaignCommand {
    private static final int MOST_DEVICES = 100_000;
    private static final Table LIST = Table.of(
            "id",
            "No authority has been replaced yet.",
            "ID=id",
            "KIND=kind",
            "PHASE=phase",
            "OLD=old",
            "NEW=new",
            "STARTED=startedAt");
    private static final Table CARD = Table.of(
            "id",
            "",
            "Campaign=id",
            "Kind=kind",
            "Phase=phase",
            "Old authority=old",
            "New authority=new",
            "Reason=reason",
            "Started by=startedBy",
            "Started=startedAt",
            "Moved=movedAt",
            "Ended=endedAt",
            "Told per hour=perHour",
            "Distrusted at=distrustAt",
            "Devices=devices",
            "Moved devices=moved",
            "Fetched the new root=fetched",
            "Trust the new root=trusting",
            "Still depend=depending",
            "Moved last minute=movedLastMinute",
            "Remaining=remaining",
            "Take back at a ceremony=takeBackAtCeremony.serial",
            "Missing=missing",
            "People who agreed to leave devices behind=waivers#");
    private static final Table DEVICES = Table.of(
            "device",
            "No such device.",
            "DEVICE=device",
            "ENVIRONMENT=environment",
            "TOLD=told",
            "FETCHED=fetched",
            "TRUSTS=trusts",
            "MOVED=moved",
            "DEPENDS=depends");

    @Command(name = "list", mixinStandardHelpOptions = true, description = "Lists campaigns, newest first.")
    void list(@Mixin ServerOptions server) {
        List<JsonNode> rows = new java.util.ArrayList<>();
        server.client().get("/rollovers").path("rollovers").forEach(rows::add);
        server.printer().rows(rows, LIST);
    }

    @Command(
            name = "show",
            mixinStandardHelpOptions = true,
            description = "How far it has come, at what pace, and who is missing.")
    void show(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id) {
        server.printer().one(server.client().get("/rollovers/" + ApiClient.encode(id)), CARD);
    }

    @Command(
            name = "devices",
            mixinStandardHelpOptions = true,
            description =
                    "How far each device has come: told of a new root, has fetched it, trusts it; has moved, depends.")
    void devices(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(names = "--missing", description = "Only those that have not acknowledged.") boolean missing,
            @Option(names = "--acknowledged", description = "Only those that have.") boolean acknowledged) {
        String only = missing == acknowledged ? "all" : missing ? "missing" : "acknowledged";
        server.list(
                "/rollovers/" + ApiClient.encode(id) + "/devices",
                ApiClient.query("only", only),
                "devices",
                MOST_DEVICES,
                DEVICES);
    }

    @Command(
            name = "start",
            mixinStandardHelpOptions = true,
            description = "Makes the next issuer of devices, or the next root, ready: published, and not issuing yet.")
    void start(
            @Mixin ServerOptions server,
            @Option(names = "--for", required = true, paramLabel = "devices|root") String what,
            @Option(
                            names = "--root",
                            paramLabel = "FILE",
                            description = "Your own next root, PEM (docs/root-ceremony.md).")
                    @Nullable
                    Path root,
            @Option(
                            names = "--cross",
                            paramLabel = "FILE",
                            description = "What the two roots have signed for each other; give both.")
                    @Nullable
                    List<Path> crosses,
            @Option(
                            names = "--per-hour",
                            defaultValue = "0",
                            paramLabel = "N",
                            description = "Devices told in an hour.")
                    int perHour,
            @Mixin Because because) {
        String kind = switch (what) {
            case "devices" -> "issuer";
            case "root" -> "root";
            default -> throw new ApiException(2, "--for is devices or root");
        };
        ObjectNode body = because.body().put("kind", kind);
        if (perHour > 0) {
            body.put("perHour", perHour);
        }
        if (root != null || crosses != null) {
            body.put("root", root == null ? "" : read(root));
            StringBuilder both = new StringBuilder();
            for (Path cross : crosses == null ? List.<Path>of() : crosses) {
                both.append(read(cross));
            }
            body.put("crosses", both.toString());
        }
        server.printer().one(server.client().post("/rollovers", body), CARD);
    }

    @Command(
            name = "move",
            mixinStandardHelpOptions = true,
            description =
                    "The new authority issues from now on and devices are told to renew; of a root, once all trust it.")
    void move(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(
                            names = "--despite-missing",
                            description = "Although devices have not said that they trust the new root.")
                    boolean despite,
            @Mixin Because because) {
        step(server, id, "move", because.body().put("despite", despite));
    }

    @Command(
            name = "finish",
            mixinStandardHelpOptions = true,
            description = "The old authority counts no more; refused while devices depend on it.")
    void finish(
            @Mixin ServerOptions server,
            @Parameters(paramLabel = "ID") String id,
            @Option(
                            names = "--leave-behind",
                            description =
                                    "Those that are missing are refused from then on. After an emergency one person may; of"
                                            + " a root a second, different person must ask for the same. Never of an issuer.")
                    boolean despite,
            @Mixin Because because) {
        step(server, id, "finish", because.body().put("despite", despite));
    }

    @Command(
            name = "abandon",
            mixinStandardHelpOptions = true,
            description = "Withdraws the new authority before it has issued anything.")
    void abandon(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        step(server, id, "abandon", because.body());
    }

    @Command(
            name = "emergency",
            mixinStandardHelpOptions = true,
            description =
                    "An issuer's key is stolen: a new issuer at once, every device told to renew, the old one distrusted.")
    void emergency(
            @Mixin ServerOptions server,
            @Option(
                            names = "--distrust",
                            defaultValue = "at-end",
                            paramLabel = "at-end|at-once",
                            description = "at-once: old certificates are good for renewal alone from now on.")
                    String distrust,
            @Option(
                            names = "--grace",
                            defaultValue = "P7D",
                            paramLabel = "DURATION",
                            description =
                                    "After which the old issuer is distrusted, whoever is missing (default: P7D).")
                    String grace,
            @Option(
                            names = "--per-hour",
                            defaultValue = "0",
                            paramLabel = "N",
                            description = "Devices told in an hour.")
                    int perHour,
            @Mixin Because because) {
        ObjectNode body = because.body()
                .put("kind", "emergency")
                .put("distrust", distrust)
                .put("grace", grace);
        if (perHour > 0) {
            body.put("perHour", perHour);
        }
        server.printer().one(server.client().post("/rollovers", body), CARD);
    }

    private static String read(Path file) {
        return InputFile.toSend(file);
    }

    private static void step(ServerOptions server, String id, String step, ObjectNode body) {
        server.printer().one(server.client().post("/rollovers/" + ApiClient.encode(id) + "/" + step, body), CARD);
    }
}
