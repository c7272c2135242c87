package dev.holdfast;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.mqtt.RawMqtt;
import dev.holdfast.testkit.RealClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSocket;
import org.junit.jupiter.api.Test;

/// The whole server with its embedded database on a small file system of its own, in a mount namespace that ends with
/// it: the disk is full while devices enrol and send events, then there is room again.
class DiskFullTest {
    private static final int DEVICES = 60;
    private static final int MOST_EVENTS = 400;
    private static final String PADDING = "x".repeat(3_000);

    @Test
    void nothingAcknowledgedIsLostAndEverythingGoesOnWhenThereIsRoom() throws Exception {
        Path folder = Files.createTempDirectory("holdfast-full");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwx--x--x"));
        Path disk = Files.createDirectory(folder.resolve("disk"));
        String mount = "mount -t tmpfs -o size=220m,mode=0711 tmpfs " + disk + " && exec \"$0\" \"$@\"";
        List<String> launcher = System.getProperty("user.name").equals("root")
                ? List.of("unshare", "-m", "bash", "-c", mount)
                : List.of("unshare", "-rm", "bash", "-c", mount);
        ServerProcess server = ServerProcess.start(launcher, disk.resolve("data"), Map.of());
        try {
            run(server);
        } finally {
            server.close();
            RealClient.of("rm", "-rf", folder.toString()).run();
        }
    }

    private static void run(ServerProcess server) throws Exception {
        ProcessDevice sender = ProcessDevice.enrolled(server, "sender");
        List<ProcessDevice> devices = new ArrayList<>();
        for (int i = 0; i < DEVICES; i++) {
            devices.add(new ProcessDevice(server, "full-" + i));
        }
        assertThat(devices.getFirst().enrol(server)).isEqualTo(200);
        try (SSLSocket socket = sender.connect(server, "mqtt");
                RawMqtt client = new RawMqtt(socket).enter(4, "sender")) {
            assertThat(server.ask("fill")).startsWith("full after ");

            // Enrolment: until it is refused, clearly and for now.
            int refused = 200;
            int granted = 0;
            for (int i = 0; i < DEVICES && refused == 200; i++) {
                refused = devices.get(i).enrol(server);
                granted += refused == 200 ? 1 : 0;
            }
            assertThat(refused).as("after %d were granted", granted).isEqualTo(503);

            // Events: until one is not acknowledged; measurements go on, and so does the session.
            socket.setSoTimeout(3_000);
            int sent = 0;
            int acknowledged = 0;
            while (acknowledged == sent && sent < MOST_EVENTS) {
                sent++;
                client.send(event(sent));
                acknowledged += isAcknowledged(client) ? 1 : 0;
            }
            assertThat(acknowledged).as("the last is not acknowledged").isEqualTo(sent - 1);
            client.send(RawMqtt.packet(0xC0, new byte[0]));
            assertThat(client.read().type()).as("PINGRESP").isEqualTo(13);
            assertThat(status(server)).as("/livez").isEqualTo(200);

            // Room again: what waited is committed and acknowledged, on the same session.
            assertThat(server.ask("free")).isEqualTo("true");
            socket.setSoTimeout(60_000);
            assertThat(client.read().body()).containsExactly(sent >> 8, sent & 0xff);
            List<String> expected = new ArrayList<>();
            for (int i = 1; i <= sent; i++) {
                expected.add("e" + i);
            }
            assertThat(server.ask("events sender").split(" ", -1)).containsExactlyInAnyOrderElementsOf(expected);
        }
        for (ProcessDevice device : devices) {
            assertThat(untilItAnswers(server, device)).as(device.id()).isEqualTo(200);
            assertThat(server.ask("certificates " + device.id())).isEqualTo("1");
        }
        assertThat(server.ask("verify")).isEqualTo("Optional.empty");
    }

    private static byte[] event(int number) {
        return RawMqtt.publish(
                4,
                "d/sender/event",
                number,
                "{\"v\":1,\"name\":\"e" + number + "\",\"details\":{\"noise\":\"" + PADDING + "\"}}");
    }

    private static boolean isAcknowledged(RawMqtt client) {
        try {
            assertThat(client.read().type()).isEqualTo(4);
            return true;
        } catch (UncheckedIOException e) {
            if (e.getCause() instanceof SocketTimeoutException) {
                return false;
            }
            throw e;
        }
    }

    private static int untilItAnswers(ServerProcess server, ProcessDevice device) throws Exception {
        int status = device.enrol(server);
        for (int i = 0; i < 100 && status == 503; i++) {
            TimeUnit.MILLISECONDS.sleep(100);
            status = device.enrol(server);
        }
        return status;
    }

    private static int status(ServerProcess server) throws IOException {
        try (Socket socket = server.connect("operator")) {
            socket.getOutputStream()
                    .write(("GET /livez HTTP/1.1\r\nHost: localhost:" + server.port("operator")
                                    + "\r\nConnection: close\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));
            return Integer.parseInt(
                    new String(socket.getInputStream().readNBytes(12), StandardCharsets.US_ASCII).substring(9));
        }
    }
}
