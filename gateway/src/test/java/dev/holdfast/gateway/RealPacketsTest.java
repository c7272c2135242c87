package dev.holdfast.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.testkit.RealClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Real packets between network namespaces, seen by a real exporter (softflowd) and stopped by real nftables: a
/// meter, the gateway that routes for it, and the world. Needs root, as routers do.
class RealPacketsTest {
    private static final String METER = "10.77.1.2";
    private static final String WORLD = "10.77.2.2";
    private static final int NETFLOW = 9995;

    private final String suffix = Long.toString(ProcessHandle.current().pid(), 36);
    private final String meter = "hfm" + suffix;
    private final String gateway = "hfg" + suffix;
    private final String world = "hfw" + suffix;
    private final List<Process> processes = new ArrayList<>();

    @TempDir
    private Path folder = Path.of("");

    private static void ip(String arguments) {
        var result = RealClient.of("ip", arguments.split(" ")).run();
        assertThat(result.exit()).as("ip %s: %s", arguments, result.errors()).isZero();
    }

    @BeforeEach
    void layTheCables() {
        for (String name : List.of(meter, gateway, world)) {
            ip("netns add " + name);
            ip("-n " + name + " link set lo up");
        }
        ip("link add m0 netns " + meter + " type veth peer name g0 netns " + gateway);
        ip("link add w0 netns " + world + " type veth peer name g1 netns " + gateway);
        address(meter, "m0", METER);
        address(gateway, "g0", "10.77.1.1");
        address(gateway, "g1", "10.77.2.1");
        address(world, "w0", WORLD);
        ip("-n " + meter + " route add default via 10.77.1.1");
        ip("-n " + world + " route add default via 10.77.2.1");
        var forward = RealClient.of("ip", "netns", "exec", gateway, "sysctl", "-qw", "net.ipv4.ip_forward=1")
                .run();
        assertThat(forward.exit()).as(forward.errors()).isZero();
    }

    private static void address(String namespace, String link, String address) {
        ip("-n " + namespace + " addr add " + address + "/24 dev " + link);
        ip("-n " + namespace + " link set " + link + " up");
    }

    @AfterEach
    void takeThemAway() throws InterruptedException {
        for (Process process : processes) {
            process.destroyForcibly();
            process.waitFor(10, TimeUnit.SECONDS);
        }
        for (String name : List.of(meter, gateway, world)) {
            RealClient.of("ip", "netns", "del", name).run();
        }
    }

    /// A program in a namespace, and what it says.
    private final class Party {
        private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();
        private final StringBuilder said = new StringBuilder();
        private final Process process;

        Party(String namespace, String... command) throws IOException {
            List<String> all = new ArrayList<>(List.of(RealClient.locate("ip").toString(), "netns", "exec", namespace));
            all.addAll(List.of(command));
            process = new ProcessBuilder(all).redirectErrorStream(true).start();
            processes.add(process);
            Thread.ofVirtual().start(() -> {
                try (BufferedReader reader =
                        new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
                    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
                        lines.add(line);
                    }
                } catch (IOException gone) {
                    lines.add("(gone)");
                }
            });
        }

        void tell(String line) throws IOException {
            process.getOutputStream().write((line + "\n").getBytes(StandardCharsets.UTF_8));
            process.getOutputStream().flush();
        }

        Matcher await(String pattern) throws InterruptedException {
            Pattern wanted = Pattern.compile(pattern);
            while (true) {
                String line = lines.poll(30, TimeUnit.SECONDS);
                assertThat(line)
                        .as("waited for '%s'; it said: %s", pattern, said)
                        .isNotNull();
                said.append(line).append('\n');
                Matcher matcher = wanted.matcher(line);
                if (matcher.find()) {
                    return matcher;
                }
            }
        }
    }

    private Party java(String namespace, Class<?> main, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-Xmx256m",
                "--enable-native-access=ALL-UNNAMED",
                "--sun-misc-unsafe-memory-access=allow",
                "-cp",
                System.getProperty("java.class.path"),
                main.getName()));
        command.addAll(List.of(arguments));
        return new Party(namespace, command.toArray(String[]::new));
    }

    @Test
    void stopsRealPacketsThatARealExporterHasSeen() throws Exception {
        Path control = startExporter();
        Party stops = java(
                gateway, PacketsMain.class, "gateway", METER, WORLD, control.toString(), Integer.toString(NETFLOW));
        stops.await("^ready$");
        Party receives = java(world, PacketsMain.class, "world");
        receives.await("^listening");

        Party sends = java(meter, PacketsMain.class, "meter", WORLD);
        long first = Long.parseLong(sends.await("^first (\\d+)$").group(1));
        Matcher act = stops.await("^seen (\\d+) enforced (\\d+)$");
        long seen = Long.parseLong(act.group(1));
        long enforced = Long.parseLong(act.group(2));
        TimeUnit.MILLISECONDS.sleep(500); // that nothing passes any more is seen only while something tries
        sends.tell("stop");
        int sent = Integer.parseInt(sends.await("^sent (\\d+)$").group(1));
        assertThat(sends.await("^good (\\w+)$").group(1)).isEqualTo("true");
        assertThat(sends.await("^bad (\\w+)$").group(1)).isEqualTo("false");
        Matcher arrived = receives.await("^received (\\d+) last (\\d+)$");
        int received = Integer.parseInt(arrived.group(1));
        long last = Long.parseLong(arrived.group(2));

        System.out.printf(
                "measured: real packets: first bad packet -> last packet through %.0f ms (seen by softflowd after"
                        + " %.0f ms, nftables %.1f ms); %d of %d packets got through%n",
                (last - first) / 1000.0, (seen - first) / 1000.0, (enforced - seen) / 1000.0, received, sent);
        assertThat(received).isPositive().isLessThan(sent);
        assertThat(last).as("nothing passes once nftables has answered").isLessThan(enforced + 50_000);
    }

    private Path startExporter() throws IOException, InterruptedException {
        Path control = folder.resolve("softflowd.ctl");
        Party exporter = new Party(
                gateway,
                RealClient.locate("softflowd").toString(),
                "-i",
                "g0",
                "-n",
                "127.0.0.1:" + NETFLOW,
                "-v",
                "10",
                "-d",
                "-p",
                folder.resolve("softflowd.pid").toString(),
                "-c",
                control.toString());
        exporter.await("Exporting flows");
        return control;
    }

    /// The whole way: softflowd sees packets, the gateway reports them over mutual TLS, the server finds that
    /// the meter may not talk to this destination and isolates it, the gateway hears so over MQTT, and the
    /// kernel drops.
    @Test
    void whatARealExporterSeesTheServerJudgesAndTheKernelStops() throws Exception {
        Path control = startExporter();
        folder.toFile().setExecutable(true, false);
        Party server = java(gateway, PacketsServerMain.class, folder.toString(), METER, WORLD);
        Matcher ready = server.await("^ready (\\d+) (\\d+) (\\S+)$");
        Party own = java(
                gateway,
                GatewayMain.class,
                "--id",
                PacketsServerMain.GATEWAY,
                "--server",
                "localhost:" + ready.group(1),
                "--mqtt",
                "localhost:" + ready.group(2),
                "--ca",
                folder.resolve("ca.pem").toString(),
                "--token",
                ready.group(3),
                "--model",
                "gateway",
                "--nft",
                "--ipfix",
                Integer.toString(NETFLOW),
                "--softflowd",
                control.toString(),
                "--data",
                folder.resolve("gateway").toString());
        own.await("1 members, 0 isolated");
        Party receives = java(world, PacketsMain.class, "world");
        receives.await("^listening");

        Party sends = java(meter, PacketsMain.class, "meter", WORLD);
        long first = Long.parseLong(sends.await("^first (\\d+)$").group(1));
        Matcher judged = server.await("^isolated (\\d+) (\\w+)$");
        Matcher confirmed = server.await("^enforced (\\d+)$");
        TimeUnit.MILLISECONDS.sleep(500);
        sends.tell("stop");
        int sent = Integer.parseInt(sends.await("^sent (\\d+)$").group(1));
        assertThat(sends.await("^good (\\w+)$").group(1))
                .as("isolated from everything")
                .isEqualTo("false");
        assertThat(sends.await("^bad (\\w+)$").group(1)).isEqualTo("false");
        Matcher arrived = receives.await("^received (\\d+) last (\\d+)$");
        int received = Integer.parseInt(arrived.group(1));
        long last = Long.parseLong(arrived.group(2));

        System.out.printf(
                "measured: real packets through the server: first bad packet -> last packet through %.0f ms (isolation"
                        + " decided after %.0f ms, confirmed by the gateway after %.0f ms); %d of %d packets got"
                        + " through%n",
                (last - first) / 1000.0,
                (Long.parseLong(judged.group(1)) - first) / 1000.0,
                (Long.parseLong(confirmed.group(1)) - first) / 1000.0,
                received,
                sent);
        assertThat(judged.group(2)).as("how it was known").isEqualTo("OBSERVED");
        assertThat(received).isPositive().isLessThan(sent);
        assertThat(last)
                .as("nothing passes once the gateway has confirmed")
                .isLessThan(Long.parseLong(confirmed.group(1)) + 50_000);
    }
}
