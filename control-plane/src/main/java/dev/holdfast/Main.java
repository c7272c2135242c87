package dev.holdfast;

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
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The server's command line, and the only place that reads the system clock or makes randomness.
@Command(
        name = "holdfast",
        mixinStandardHelpOptions = true,
        versionProvider = Main.Version.class,
        description = "Keeps an IoT fleet safe.",
        subcommands = {Main.Serve.class})
public final class Main {
    private static final PrintStream OUT = System.out;
    private static final PrintStream ERR = System.err;

    private Main() {}

    public static void main(String[] args) {
        System.exit(new CommandLine(new Main()).execute(args));
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
                try (Server server = Server.start(configuration, folder, InstantSource.system(), new SecureRandom())) {
                    Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
                        interrupted.countDown();
                        await(closed);
                    }));
                    OUT.printf(
                            "Holdfast is ready after %d ms; data in %s%n",
                            (System.nanoTime() - begun) / 1_000_000,
                            folder.toAbsolutePath().normalize());
                    server.describe().forEach(OUT::println);
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

        private static Path defaultFolder() {
            return System.getProperty("user.name", "").equals("root") ? Path.of("/var/lib/holdfast") : Path.of("data");
        }

        private static void await(CountDownLatch latch) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
