package dev.holdfast.simulator;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.agent.DeviceIdentity;
import dev.holdfast.agent.Target;
import java.io.Console;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `holdfast demo`: a city of meters, alive on this machine, over the product's real protocols; on loopback only,
/// without privileges, and with nothing left behind outside its folder.
@Command(
        name = "holdfast demo",
        mixinStandardHelpOptions = true,
        description = "Shows a city of meters and what Holdfast does for it.")
public final class DemoMain implements Callable<Integer> {
    /// With fewer, two automatic responses in an hour are more than the limit of 1 % lets happen without a person.
    private static final int FEWEST = 200;

    @Option(names = "--meters", defaultValue = "2000", description = "How many meters (default ${DEFAULT-VALUE}).")
    private int meters;

    @Option(names = "--seed", description = "Decides the city and its fate (default: by chance).")
    private @Nullable Long seed;

    @Option(names = "--exit-after-story", description = "End after the story: 0 when a checker finds every act right.")
    private boolean exitAfterStory;

    @Option(names = "--without-gate", description = "Switch the rollout gate off, to see what it is for.")
    private boolean withoutGate;

    @Option(names = "--without-isolation", description = "Switch automatic isolation off, to see what it is for.")
    private boolean withoutIsolation;

    @Option(names = "--data", description = "Where everything is kept; default a temporary folder, removed at the end.")
    private @Nullable Path data;

    private final Deque<AutoCloseable> parts = new ArrayDeque<>();
    private final CountDownLatch interrupted = new CountDownLatch(1);
    private final CountDownLatch ended = new CountDownLatch(1);
    private final Thread story = Thread.currentThread();
    /// What is told of a child process that ended without having been asked to.
    private final AtomicReference<@Nullable String> died = new AtomicReference<>();
    private final Narrator narrator = new Narrator(System.out, aPersonWatches());

    @SuppressWarnings("SystemConsoleNull") // it may be null, or not a terminal, depending on the JDK
    private static boolean aPersonWatches() {
        Console console = System.console();
        return console != null && console.isTerminal();
    }

    public static void main(String[] arguments) {
        System.exit(new CommandLine(new DemoMain()).execute(arguments));
    }

    @Override
    public Integer call() throws Exception {
        PrintStream err = System.err;
        if (meters < FEWEST || meters > 15_000) {
            err.println("holdfast demo: between " + FEWEST + " and 15000 meters");
            return 2;
        }
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> {
            interrupted.countDown();
            if (ended.getCount() > 0) {
                narrator.say("");
                narrator.say("Stopping: the meters, their gateways, the server and its database; some seconds.");
            }
            story.interrupt();
            try {
                ended.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }));
        Path given = data;
        boolean temporary = given == null;
        Path folder = given == null ? Files.createTempDirectory("holdfast-demo-") : given.toAbsolutePath();
        if (Files.exists(folder.resolve("gateways.json"))) {
            err.println("holdfast demo: " + folder + " holds a city already, and a story is told once;"
                    + " give another folder, or remove this one");
            return 2;
        }
        Files.createDirectories(folder);
        // The embedded database may run as another user, who must be able to reach its folder.
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        try {
            return run(folder);
        } catch (InterruptedException e) {
            return died.get() == null ? 130 : failed(String.valueOf(died.get()));
        } catch (IOException | RuntimeException e) {
            if (interrupted.getCount() == 0) {
                return 130; // what Ctrl-C broke off says nothing
            }
            if (died.get() == null && e instanceof RuntimeException bug) {
                throw bug;
            }
            return failed(String.valueOf(died.get() == null ? e.getMessage() : died.get()));
        } finally {
            Thread.interrupted(); // what is closed now may wait
            try {
                close();
                if (temporary) {
                    remove(folder);
                }
            } finally {
                ended.countDown(); // whatever happened: the end of the process waits for it
            }
        }
    }

    private void childDied(String what) {
        // Ctrl-C on a terminal reaches the children too.
        if (interrupted.getCount() > 0 && died.compareAndSet(null, what)) {
            story.interrupt();
        }
    }

    private int failed(String why) {
        narrator.say("");
        System.err.println("holdfast demo: " + why);
        return 1;
    }

    private int run(Path folder) throws IOException, InterruptedException {
        long chosen = seed == null ? Math.floorMod(new SecureRandom().nextLong(), 1_000_000L) : seed;
        CityPlan plan = CityPlan.of(chosen, meters);
        narrator.say(
                "A city of " + meters + " meters in " + plan.districts().size() + " districts; seed " + chosen + ".");
        long begun = System.nanoTime();
        Map<String, String> switches = new TreeMap<>();
        if (withoutGate) {
            switches.put("HOLDFAST_SWITCHES_ROLLOUT_GATE", "false");
        }
        if (withoutIsolation) {
            switches.put("HOLDFAST_SWITCHES_AUTOMATIC_ISOLATION", "false");
        }
        narrator.say("Its server starts: database, keys, certificates, listeners ...");
        DemoServer server = opened(DemoServer.start(folder, switches));
        server.onUnexpectedEnd(this::childDied);
        narrator.say("The console is on " + server.origin() + " after " + Narrator.seconds(System.nanoTime() - begun));
        server.signInLink().ifPresent(link -> narrator.say("Sign in with a passkey, once, by: " + link));
        howToTakePart(server);
        OperatorClient api = opened(new OperatorClient(server.origin(), server.token()));

        SecureRandom random = new SecureRandom();
        Factory factory = new Factory(random, Instant.now());
        boolean small = meters <= 500;
        Duration telemetry = small ? Duration.ofSeconds(3) : Duration.ofSeconds(10);
        Preparation preparation = new Preparation(api, plan, factory);
        preparation.models(telemetry, server);
        preparation.inventory();
        Map<String, DeviceIdentity> made = preparation.identities();
        preparation.signingKey();
        long historyBegun = System.nanoTime();
        int readings = preparation.history(Instant.now(), small ? Duration.ofHours(1) : Duration.ofHours(3), narrator);
        narrator.say(readings + " readings of the last week imported in "
                + Narrator.seconds(System.nanoTime() - historyBegun));
        Path ca = folder.resolve("ca.pem");
        Files.writeString(ca, api.text("/ca.pem"));
        Map<String, InetSocketAddress> relays = gateways(folder, plan, server, ca, made);

        City city = opened(new City(
                plan,
                new City.Surroundings(
                        Target.parse(server.https(), 8443),
                        Target.parse(server.mqtt(), 8883),
                        "DEFAULT",
                        DeviceIdentity.certificatesFromPem(Files.readAllBytes(ca)),
                        List.of(factory.releaseKey()),
                        relays,
                        telemetry,
                        Duration.ofSeconds(small ? 2 : 4)),
                made,
                new FirmwareImage(CityPlan.FACTORY_VERSION, 0, chosen).bytes()));
        Story story = new Story(
                plan,
                city,
                api,
                factory,
                narrator,
                new Story.Surroundings(folder, server, telemetry, relays, !withoutGate, !withoutIsolation));
        story.tell();
        narrator.table();
        if (!exitAfterStory) {
            narrator.say("");
            narrator.say("The city lives on: " + server.origin() + "; Ctrl-C ends it.");
            server.signInLink().ifPresent(link -> narrator.say("Where nobody has signed in yet, once, by: " + link));
            howToTakePart(server);
            interrupted.await();
            return 0;
        }
        return check(folder, server, api, story.truth());
    }

    /// Nobody needs to wait for the story's end to enrol a device of their own.
    private void howToTakePart(DemoServer server) {
        narrator.say("Command line, meanwhile: ./holdfast login --url " + server.origin() + " --token-file "
                + server.tokenFile());
        narrator.say("Devices: HTTPS at localhost:" + server.devicePort() + ", MQTT at localhost:" + server.mqttPort());
    }

    private Map<String, InetSocketAddress> gateways(
            Path folder, CityPlan plan, DemoServer server, Path ca, Map<String, DeviceIdentity> made)
            throws IOException, InterruptedException {
        ObjectNode configuration = OperatorClient.object()
                .put("https", server.https())
                .put("mqtt", server.mqtt())
                .put("tenant", "DEFAULT")
                .put("ca", ca.toString());
        ArrayNode list = configuration.putArray("gateways");
        for (String id : plan.gateways()) {
            Path idevid = folder.resolve(id + ".pem");
            secret(idevid, made.get(id) == null ? new byte[0] : made.get(id).toPem());
            list.addObject().put("id", id).put("idevid", idevid.toString());
        }
        Path file = folder.resolve("gateways.json");
        Files.writeString(file, configuration.toPrettyString());
        ChildProcess process = opened(ChildProcess.start(
                "gateways",
                folder.resolve("gateways.log"),
                384,
                Map.of(),
                List.of(DistrictGatewaysMain.class.getName(), file.toString())));
        process.onUnexpectedEnd(this::childDied);
        process.await(Pattern.compile("all \\d+ gateways run"), Duration.ofSeconds(60));
        Map<String, InetSocketAddress> relays = new TreeMap<>();
        for (String id : plan.gateways()) {
            Matcher port =
                    process.await(Pattern.compile("^relay " + Pattern.quote(id) + " (\\d+)$"), Duration.ofSeconds(5));
            relays.put(id, new InetSocketAddress(InetAddress.getLoopbackAddress(), Integer.parseInt(port.group(1))));
        }
        return relays;
    }

    /// The verdict is not ours: another process reads everything back.
    private int check(Path folder, DemoServer server, OperatorClient api, GroundTruth truth)
            throws IOException, InterruptedException {
        Path truthFile = folder.resolve("truth.json");
        truth.write(truthFile);
        ObjectNode wish = OperatorClient.object().put("name", "checker").put("expiresIn", "PT1H");
        wish.putArray("scopes").add("read");
        Path tokenFile = folder.resolve("checker-token");
        secret(tokenFile, api.post("/tokens", wish).path("secret").asText().getBytes(StandardCharsets.US_ASCII));
        narrator.say("");
        try (ChildProcess checker = ChildProcess.start(
                "checker",
                folder.resolve("checker.log"),
                256,
                Map.of(),
                List.of(CheckerMain.class.getName(), server.origin(), tokenFile.toString(), truthFile.toString()))) {
            int exit = checker.waitFor(Duration.ofMinutes(2));
            Thread.sleep(100);
            checker.lastLines().forEach(narrator::say);
            return exit;
        }
    }

    private static void secret(Path file, byte[] content) throws IOException {
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.write(file, content);
    }

    private <T extends AutoCloseable> T opened(T part) {
        parts.push(part);
        return part;
    }

    private void close() {
        while (!parts.isEmpty()) {
            try {
                parts.pop().close();
            } catch (Exception e) {
                narrator.say("closing failed: " + e.getMessage());
            }
        }
    }

    /// Tries again for a while: the database of a server that was killed goes down by itself, and writes until then.
    private static void remove(Path folder) throws IOException, InterruptedException {
        for (int left = 60; ; left--) {
            try (Stream<Path> all = Files.walk(folder)) {
                for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(path);
                }
                return;
            } catch (IOException | UncheckedIOException e) {
                if (left == 0) {
                    throw new IOException("can't remove " + folder + ": " + e.getMessage(), e);
                }
                Thread.sleep(250);
            }
        }
    }
}
