package dev.holdfast.updates;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.firmware.Registered;
import dev.holdfast.firmware.Release;
import dev.holdfast.firmware.SigningKey;
import dev.holdfast.mqtt.EnrolledDevice;
import dev.holdfast.rollout.MemberState;
import dev.holdfast.rollout.MemberView;
import dev.holdfast.rollout.RolloutState;
import dev.holdfast.testkit.RealClient;
import dev.holdfast.testkit.Recipe;
import dev.holdfast.testkit.RunningClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Debian's SWUpdate in suricatta mode, over mutual TLS.
class SwupdateTest {
    private final TestServer server = TestServer.start();

    @TempDir
    private Path folder;

    @AfterEach
    void stop() {
        server.close();
    }

    /// Runs blocks of the page that people read.
    private void recipe(Map<String, String> environment, String... blocks) {
        Recipe.read(Path.of(System.getProperty("holdfast.root"), "docs/recipes/update-with-swupdate.md"))
                .only(blocks)
                .run(folder, environment, Duration.ofMinutes(1))
                .succeeded();
    }

    private Path image(String version, Path target) {
        recipe(Map.of("VERSION", version, "HARDWARE", "hw-1", "TARGET", target.toString()), "image");
        return folder.resolve("meter-" + version + ".swu");
    }

    private RunningClient swupdate(EnrolledDevice device, String firmware, String... more) throws IOException {
        Path sockets = Files.createDirectories(folder.resolve("run-" + firmware));
        recipe(
                Map.of(
                        "ID", device.ref().id().value(),
                        "HOST", "localhost:" + server.server().devicePort(),
                        "ROOT", server.rootPem().toString(),
                        "KEY", device.keyFile().toString(),
                        "CERTIFICATE", device.certificateFile().toString(),
                        "FIRMWARE", firmware),
                "configure");
        String suricatta = more.length == 0 ? "-p 1" : "-p 1 " + String.join(" ", more);
        return RealClient.of("swupdate", "-f", "swupdate.cfg", "-H", "meter-a:hw-1", "-l", "5", "-u", suricatta)
                .with("TMPDIR", sockets.toString())
                .with("RUNTIME_DIRECTORY", sockets.toString())
                .in(folder)
                .start();
    }

    private void trustSigner() throws IOException {
        recipe(Map.of(), "key");
        server.server()
                .firmware()
                .registerKey(
                        TestServer.ENVIRONMENT,
                        SigningKey.Kind.SWU,
                        "release signer",
                        Files.readString(folder.resolve("swu.crt")),
                        TestServer.TESTER);
    }

    /// With what the client said, when it does not come.
    private static void await(RunningClient client, BooleanSupplier condition) {
        try {
            TestServer.await("SWUpdate's part", condition);
        } catch (AssertionError e) {
            throw new AssertionError(String.join("\n", client.lines()), e);
        }
    }

    private MemberView member(long rollout) {
        return server.server()
                .rollouts()
                .devices(rollout, Optional.empty(), Optional.empty(), "", 10)
                .getFirst();
    }

    @Test
    void installsASignedImageReportsItAndIsHealthyOnceItRunsTheNewVersion() throws Exception {
        trustSigner();
        EnrolledDevice device = EnrolledDevice.of(server, "m-swu");
        Path target = folder.resolve("installed.img");
        Release release = LiveRelease.accepted(LiveRelease.ofSwu(server.server(), image("1.1.0", target)));
        long rollout = LiveRelease.rollout(server.server(), release, Optional.empty(), 10);

        try (RunningClient client = swupdate(device, "1.0.0")) {
            client.awaitLine(
                    line -> line.contains("Post-update actions successfully executed"), Duration.ofSeconds(60));
        }
        assertThat(target).hasContent("firmware 1.1.0\n");
        assertThat(server.server().updates().attributes(device.ref())).containsEntry("firmware", "1.0.0");
        assertThat(member(rollout).exposedAt()).isPresent();

        // After the reboot into the new version: -c 2 confirms, the attributes say what runs.
        try (RunningClient client = swupdate(device, "1.1.0", "-c 2")) {
            await(
                    client,
                    () -> server.server().rollouts().get(rollout).orElseThrow().state() == RolloutState.FINISHED);
        }
        assertThat(member(rollout).state()).isEqualTo(MemberState.HEALTHY);
    }

    @Test
    void refusesAnImageThatWasTamperedWithAfterItsRegistrationAndSaysSo() throws Exception {
        trustSigner();
        EnrolledDevice device = EnrolledDevice.of(server, "m-swu");
        Path target = folder.resolve("installed.img");
        Release release = LiveRelease.accepted(LiveRelease.ofSwu(server.server(), image("1.1.0", target)));
        Path stored =
                server.server().firmware().file(release.artifacts().getLast()).orElseThrow();
        byte[] content = Files.readAllBytes(stored);
        int at = new String(content, java.nio.charset.StandardCharsets.ISO_8859_1).lastIndexOf("firmware 1.1.0");
        content[at] = 'F';
        Files.write(stored, content, StandardOpenOption.TRUNCATE_EXISTING);
        long rollout = LiveRelease.rollout(server.server(), release, Optional.empty(), 10);
        try (RunningClient client = swupdate(device, "1.0.0")) {
            await(
                    client,
                    () -> server.server().rollouts().get(rollout).orElseThrow().state() == RolloutState.STOPPED);
        }
        assertThat(target).doesNotExist();
        assertThat(member(rollout).state()).isEqualTo(MemberState.FAILED);
    }

    @Test
    void anImageWithABadSignatureIsNotEvenRegistered() throws Exception {
        trustSigner();
        server.register("m-swu");
        Path swu = image("1.1.0", folder.resolve("x"));
        byte[] good = Files.readAllBytes(swu);
        String text = new String(good, java.nio.charset.StandardCharsets.ISO_8859_1);

        byte[] otherDescription = good.clone();
        otherDescription[text.indexOf("hw-1")] = 'x';
        assertRefused(otherDescription, Registered.Reason.SIGNATURE_NOT_VALID);
        byte[] otherImage = good.clone();
        otherImage[text.lastIndexOf("firmware 1.1.0")] = 'F';
        assertRefused(otherImage, Registered.Reason.ARTIFACT_DIFFERS);
        assertRefused(
                java.util.Arrays.copyOf(good, good.length / 2),
                Registered.Reason.SIGNATURE_NOT_VALID,
                Registered.Reason.NOT_A_SWU);
        assertRefused(
                "not a swu".repeat(100).getBytes(java.nio.charset.StandardCharsets.UTF_8), Registered.Reason.NOT_A_SWU);

        // Signed by somebody else.
        recipe(Map.of(), "key");
        assertRefused(Files.readAllBytes(image("1.2.0", folder.resolve("x"))), Registered.Reason.SIGNATURE_NOT_VALID);
    }

    private void assertRefused(byte[] swu, Registered.Reason... reasons) throws IOException {
        Path file = folder.resolve("bad.swu");
        Files.write(file, swu);
        assertThat(LiveRelease.ofSwu(server.server(), file))
                .isInstanceOfSatisfying(
                        Registered.Refused.class, r -> assertThat(r.reason()).isIn((Object[]) reasons));
    }
}
