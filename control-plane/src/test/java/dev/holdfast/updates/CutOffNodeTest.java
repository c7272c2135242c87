package dev.holdfast.updates;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.database.Database;
import dev.holdfast.firmware.Release;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.rollout.Offer;
import dev.holdfast.rollout.RolloutView;
import dev.holdfast.testkit.FaultyLink;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.RunningClient;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Two nodes on one database; one is cut off from it in the middle of downloads.
class CutOffNodeTest {
    private static final int SIZE = 40_000_000;

    private static TestServer cutOff(TestServer first, int databasePort) throws Exception {
        Path folder = Files.createTempDirectory("holdfast-test-server");
        Path keys = Files.createDirectories(folder.resolve("data/ca"));
        try (Stream<Path> files = Files.list(first.folder().resolve("data/ca"))) {
            for (Path file : files.toList()) {
                Files.copy(file, keys.resolve(file.getFileName()), java.nio.file.StandardCopyOption.COPY_ATTRIBUTES);
            }
        }
        // Nodes share the artifacts.
        Files.createSymbolicLink(
                folder.resolve("data/artifacts"), first.folder().resolve("data/artifacts"));
        Database.Address address = new Database.Address(
                first.database().url().replaceFirst("//[^/]+/", "//127.0.0.1:" + databasePort + "/"),
                first.database().user(),
                first.database().password());
        return TestServer.start(folder, address, Map.of(), InstantSource.system());
    }

    private static RunningClient download(TestServer node, EnrolledDevice device, String path, Path into) {
        return RealClient.of(
                        "curl",
                        "-sS",
                        "--cacert",
                        node.rootPem().toString(),
                        "--cert",
                        device.certificateFile().toString(),
                        "--key",
                        device.keyFile().toString(),
                        "--limit-rate",
                        "1M",
                        "-o",
                        into.toString(),
                        "https://localhost:" + node.server().devicePort() + path)
                .start();
    }

    /// A download of which bytes have come. On a busy machine a lease can lapse under it, or not be there yet: then the
    /// device asks again, as devices do.
    private static RunningClient flowing(TestServer node, EnrolledDevice device, String path, Path into) {
        RunningClient[] client = {download(node, device, path, into)};
        TestServer.await("bytes flow", () -> {
            if (!client[0].isAlive()) {
                client[0] = download(node, device, path, into);
            }
            return size(into) > 500_000 && client[0].isAlive();
        });
        return client[0];
    }

    private static int port(Database.Address address) {
        return Integer.parseInt(address.url().replaceFirst(".*://[^:/]+:(\\d+)/.*", "$1"));
    }

    private static long size(Path file) {
        return file.toFile().length();
    }

    @Test
    void noByteOfAStoppedReleaseLeavesAnyNodeAfterTheStopIsComplete() throws Exception {
        try (TestServer first = TestServer.start();
                FaultyLink link = FaultyLink.to("127.0.0.1", port(first.database()));
                TestServer second = cutOff(first, link.port())) {
            List<EnrolledDevice> devices = new ArrayList<>();
            for (int i = 0; i < 4; i++) {
                devices.add(EnrolledDevice.of(first, "m-" + i));
            }
            Release release = LiveRelease.ofManifest(first.server(), "1.1", SIZE);
            long id = LiveRelease.rollout(first.server(), release, Optional.empty(), 10);
            TestServer.await(
                    "the second node knows",
                    () -> second.server()
                            .rollouts()
                            .known(devices.getFirst().ref(), Instant.now())
                            .isEmpty());

            List<RunningClient> downloads = new ArrayList<>();
            List<Path> files = new ArrayList<>();
            for (int i = 0; i < devices.size(); i++) {
                EnrolledDevice device = devices.get(i);
                TestServer node = i % 2 == 0 ? first : second;
                TestServer.await(
                        "granted",
                        () -> node.server().rollouts().offer(device.ref(), Instant.now()) instanceof Offer.Update);
                Path file = first.folder().resolve("download-" + i);
                files.add(file);
                downloads.add(flowing(
                        node,
                        device,
                        "/DEFAULT/controller/v1/" + device.ref().id() + "/softwaremodules/" + release.id()
                                + "/artifacts/1.1.img",
                        file));
            }

            link.pause(); // from here on the second node hears nothing of the database, and does not know it
            first.server().rollouts().control().abort(id, false, "bad release", TestServer.TESTER);
            TestServer.await(
                    "the stop is complete",
                    () -> first.server()
                            .rollouts()
                            .get(id)
                            .flatMap(RolloutView::stop)
                            .flatMap(RolloutView.Stop::completeAt)
                            .isPresent());
            Instant complete = first.server()
                    .rollouts()
                    .get(id)
                    .flatMap(RolloutView::stop)
                    .flatMap(RolloutView.Stop::completeAt)
                    .orElseThrow();
            for (RunningClient client : downloads) {
                assertThat(client.awaitExit(java.time.Duration.ofSeconds(20)))
                        .as("cut")
                        .isNotZero();
            }
            // The cut-off node grants nothing and serves nothing to who asks again.
            Path again = first.folder().resolve("again");
            try (RunningClient client = download(
                    second,
                    devices.get(1),
                    "/DEFAULT/controller/v1/m-1/softwaremodules/" + release.id() + "/artifacts/1.1.img",
                    again)) {
                TestServer.await(
                        "nothing comes",
                        () -> !client.isAlive() || !second.server().identity().blind());
            }
            link.heal();
            TestServer.await("the second node has said what it served", () -> nodes(first, id) == 2);
            RolloutView view = first.server().rollouts().get(id).orElseThrow();
            System.out.printf(
                    "stop at %s complete at %s last byte at %s, %d bytes served%n",
                    view.stop().orElseThrow().at(), complete, view.lastByteAt().orElseThrow(), view.bytesServed());
            assertThat(view.bytesAfterStop()).isZero();
            assertThat(view.lastByteAt().orElseThrow()).isBefore(complete);
            assertThat(view.bytesServed()).isLessThan(4L * SIZE).isPositive();
            assertThat(view.exposed()).as("nobody got all of it").isZero();
            for (Path file : files) {
                assertThat(size(file)).isLessThan(SIZE);
            }
        }
    }

    private static int nodes(TestServer server, long rollout) {
        try (Database database = Database.open(server.database(), 2)) {
            return database.<Integer>read(
                    sql -> sql.fetchSingle("select count(*) from rollout_bytes where rollout = ?", rollout)
                            .get(0, Integer.class));
        }
    }
}
