package dev.holdfast.cli;

import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// ACME accounts of gateways and servers.
@Command(
        name = "acme",
        mixinStandardHelpOptions = true,
        description = "Shows ACME accounts, and deactivates them.",
        synopsisSubcommandLabel = "COMMAND")
final class AcmeCommand {
    private static final Table ACCOUNTS = Table.of(
            "id",
            "No accounts. A device's secret binds one: holdfast device secret DEVICE",
            "ID=id",
            "DEVICE=device",
            "PROFILE=profile",
            "STATUS=status",
            "SECRET=secret",
            "CREATED=createdAt~",
            "ORDERS=orders",
            "ISSUED=issued",
            "LAST ORDER=lastOrderAt~");

    @Command(name = "accounts", mixinStandardHelpOptions = true, description = "Lists accounts.")
    void accounts(
            @Mixin ServerOptions server,
            @Option(names = "--device", paramLabel = "DEVICE", description = "Only this device's.") @Nullable
                    String device,
            @Option(names = "--limit", paramLabel = "N", defaultValue = "100") int limit) {
        server.printer()
                .rows(
                        ApiClient.rows(server.client()
                                .get("/acme-accounts?limit=" + limit
                                        + (device == null ? "" : "&device=" + ApiClient.encode(device)))
                                .path("accounts")),
                        ACCOUNTS);
    }

    @Command(
            name = "deactivate",
            mixinStandardHelpOptions = true,
            description = "Refuses an account's key from now on, for ever. Its certificates stay as they are.")
    void deactivate(@Mixin ServerOptions server, @Parameters(paramLabel = "ID") String id, @Mixin Because because) {
        server.printer()
                .one(
                        server.client().post("/acme-accounts/" + ApiClient.encode(id) + "/deactivate", because.body()),
                        ACCOUNTS);
    }
}
