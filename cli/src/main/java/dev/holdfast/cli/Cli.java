package dev.holdfast.cli;

import java.util.LinkedHashMap;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// The operator's command line, over the public API alone.
@Command(
        name = "holdfast",
        mixinStandardHelpOptions = true,
        version = "holdfast",
        description = "Works with a Holdfast server.",
        footer = {
            "",
            "Exit codes: 0 ok, 1 error, 2 usage, 3 not found, 4 not allowed, 5 conflict,",
            "            6 gate failed or rolled back, 7 timed out."
        },
        synopsisSubcommandLabel = "COMMAND")
public final class Cli {
    /// In the order of the help.
    private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

    static {
        COMMANDS.put("login", LoginCommand.class);
        COMMANDS.put("device", DeviceCommand.class);
        COMMANDS.put("model", ModelCommand.class);
        COMMANDS.put("cert", CertCommand.class);
        COMMANDS.put("manufacturer", ManufacturerCommand.class);
        COMMANDS.put("acme", AcmeCommand.class);
        COMMANDS.put("claim", ClaimCommand.class);
        COMMANDS.put("tpm", TpmCommand.class);
        COMMANDS.put("firmware", FirmwareCommand.class);
        COMMANDS.put("rollout", RolloutCommand.class);
        COMMANDS.put("incident", IncidentCommand.class);
        COMMANDS.put("audit", AuditCommand.class);
        COMMANDS.put("db", DbCommand.class);
        COMMANDS.put("doctor", DoctorCommand.class);
    }

    Cli() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    static int run(String... args) {
        CommandLine line = commands(args);
        line.setCaseInsensitiveEnumValuesAllowed(true);
        line.setUsageHelpAutoWidth(true);
        line.setExecutionExceptionHandler((e, command, _) -> {
            if (e instanceof ApiException refused) {
                command.getErr().println("holdfast: " + refused.getMessage());
                command.getErr().flush();
                return refused.exitCode();
            }
            throw e;
        });
        return line.execute(args);
    }

    /// Only the command that is asked for is read by reflection: reading all of them was most of what a start cost.
    static CommandLine commands(String... args) {
        CommandLine line = new CommandLine(new Cli());
        Class<?> only = args.length == 0 ? null : COMMANDS.get(args[0]);
        if (only != null) {
            line.addSubcommand(args[0], only);
        } else {
            COMMANDS.forEach(line::addSubcommand);
        }
        return line;
    }
}
