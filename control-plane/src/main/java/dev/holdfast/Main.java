package dev.holdfast;

import dev.holdfast.backup.Backup;
import dev.holdfast.ceremony.CeremonyCommand;
import dev.holdfast.config.Configuration;
import dev.holdfast.config.ConfigurationException;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jooq.exception.DataAccessException;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// The server's command line, and the only place that reads the system clock or makes randomness.
@Command(
        name = "holdfast",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = "Keeps an IoT fleet safe.",
        subcommands = {Main.Serve.class, Main.Db.class})
public final class Main {
    private static final PrintStream OUT = System.out;
    private static final PrintStream ERR = System.err;

    private Main() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main())
                .addSubcommand(new CeremonyCommand(InstantSource.system(), new SecureRandom()))
                .execute(args));
    }

    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"holdfast " + (version == null ? "development" : version)};
        }
    }

    @Command(name = "serve", mixinStandardHelpOptions = true, description = "Runs the server until it is interrupted.")
    static final class Serve implements Callable<Integer> {
        @Option(
                names = "--config",
                paramLabel = "FILE",
                description = "Configuration, YAML; every key also as HOLDFAST_...")
        private @Nullable Path config;

        @Option(
                names = "--data",
                paramLabel = "DIR",
                description = "Holds all state (default: ./data, as root /var/lib/holdfast).")
        private @Nullable Path data;

        @Override
        public Integer call() {
            CountDownLatch interrupted = new CountDownLatch(1);
            CountDownLatch closed = new CountDownLatch(1);
            long begun = System.nanoTime();
            try {
                Configuration configuration = Configuration.load(Optional.ofNullable(config), System.getenv());
                Path folder = data == null ? defaultFolder() : data;
                OUT.println(
                        "Holdfast starts; data in " + folder.toAbsolutePath().normalize());
                try (Server server = Server.start(
                        configuration,
                        folder,
                        InstantSource.system(),
                        new SecureRandom(),
                        step -> OUT.println("  " + step))) {
                    Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
                        interrupted.countDown();
                        await(closed);
                    }));
                    OUT.printf("Holdfast is ready after %d ms%n", (System.nanoTime() - begun) / 1_000_000);
                    server.describe().forEach(OUT::println);
                    OUT.println("Ctrl-C stops it.");
                    await(interrupted);
                    OUT.println("Stopping.");
                }
                return 0;
            } catch (ConfigurationException e) {
                ERR.println("holdfast: " + e.getMessage());
                return 1;
            } catch (IOException e) {
                ERR.println("holdfast: can't start: " + e.getMessage());
                return 1;
            } finally {
                closed.countDown();
            }
        }

        private static void await(CountDownLatch latch) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private static Path defaultFolder() {
        return System.getProperty("user.name", "").equals("root") ? Path.of("/var/lib/holdfast") : Path.of("data");
    }

    @Command(
            name = "db",
            mixinStandardHelpOptions = true,
            description = "Backup and restore: all state, consistent, into or from one file. (holdfast db freeze and"
                    + " holdfast db accept-loss ask the running server.)",
            synopsisSubcommandLabel = "COMMAND")
    static final class Db {
        @Option(names = "--config", paramLabel = "FILE", scope = CommandLine.ScopeType.INHERIT)
        private @Nullable Path config;

        @Option(
                names = "--data",
                paramLabel = "DIR",
                scope = CommandLine.ScopeType.INHERIT,
                description = "Holds all state (default: ./data, as root /var/lib/holdfast).")
        private @Nullable Path data;

        @Command(name = "backup", description = "Writes a backup to a new file; the server may run meanwhile.")
        int backup(@Parameters(paramLabel = "FILE") Path file) {
            return run(backup -> {
                Backup.Summary written = backup.create(file);
                OUT.printf(
                        "Backup in %s: %d tables, journal up to entry %d. It holds the keys of your certification"
                                + " authorities: keep it as you keep those.%n",
                        written.file(), written.tables(), written.journalNumber());
            });
        }

        @Command(name = "verify", description = "Reads a backup whole and compares it with its checksums.")
        int verify(@Parameters(paramLabel = "FILE") Path file) {
            return run(backup -> OUT.printf(
                    "The backup of %s is whole.%n", backup.verify(file).createdAt()));
        }

        @Command(name = "restore", description = "Restores into an empty data folder; the installation is then frozen.")
        int restore(
                @Parameters(paramLabel = "FILE") Path file,
                @Option(
                                names = "--journal",
                                paramLabel = "DIR",
                                description = "The journal stream that left the machine (journalExport).")
                        @Nullable
                        Path journal) {
            return run(backup -> OUT.printf(
                    "Restored the backup of %s.%n",
                    backup.restore(file, Optional.ofNullable(journal)).createdAt()));
        }

        @Command(name = "merge", description = "Reads the journal stream that left the machine, for the next start.")
        int merge(@Parameters(paramLabel = "DIR") Path journal) {
            return run(backup -> OUT.printf(
                    "%d entries newer than the backup; the next start applies what they took away and lifts the"
                            + " freeze.%n",
                    backup.merge(journal)));
        }

        private interface Step {
            void run(Backup backup) throws ConfigurationException, IOException;
        }

        private int run(Step step) {
            try {
                Configuration configuration = Configuration.load(Optional.ofNullable(config), System.getenv());
                step.run(new Backup(
                        configuration,
                        data == null ? defaultFolder() : data,
                        InstantSource.system(),
                        new SecureRandom(),
                        ERR::println));
                return 0;
            } catch (ConfigurationException | IOException | DataAccessException e) {
                ERR.println("holdfast: " + e.getMessage());
                return 1;
            }
        }
    }
}
