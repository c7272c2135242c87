package dev.holdfast.cli;

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
        subcommands = {
            LoginCommand.class,
            DeviceCommand.class,
            ModelCommand.class,
            CertCommand.class,
            ManufacturerCommand.class,
            AcmeCommand.class,
            ClaimCommand.class,
            TpmCommand.class,
            FirmwareCommand.class,
            RolloutCommand.class,
            IncidentCommand.class,
            AuditCommand.class,
            DbCommand.class,
            DoctorCommand.class
        })
public final class Cli {
    Cli() {}

    public static void main(String[] args) {
        System.exit(run(args));
    }

    static int run(String... args) {
        CommandLine line = new CommandLine(new Cli());
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
}
