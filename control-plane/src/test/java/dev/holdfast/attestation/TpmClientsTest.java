package dev.holdfast.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.TestServer;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.profiles.ProfileText;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.Pem;
import dev.holdfast.response.Incident;
import dev.holdfast.response.Limits;
import dev.holdfast.testkit.MeasuredBoot;
import dev.holdfast.testkit.Recipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The recipe's commands, as they stand, with swtpm, tpm2-tools and the OpenSSL provider for TPMs.
class TpmClientsTest {
    @TempDir
    static Path factory;

    private static TestServer server;
    private static Swtpm tpm;

    @TempDir
    Path folder;

    @BeforeAll
    static void start() throws Exception {
        tpm = Swtpm.start(factory);
        server = TestServer.start();
        server.register("bystander-1"); // one isolation an hour would be all that a fleet of one allows
        server.register("bystander-2");
        server.server()
                .response()
                .setLimits(
                        TestServer.ENVIRONMENT,
                        new Limits(1, 50, Duration.ofHours(1)),
                        "it isolates twice",
                        TestServer.TESTER);
        EnrolledTpm.policy(server, TestServer.MODEL.value(), true, Optional.empty());
        for (String wanted : new String[] {"tpm", "software-tpm"}) {
            server.server()
                    .ca()
                    .profiles()
                    .put(
                            TestServer.ENVIRONMENT,
                            ProfileText.read(
                                    wanted,
                                    Json.tree("{\"admittance\":{\"credentials\":[\"tpm\"],\"attestation\":\"" + wanted
                                            + "\"}}")),
                            "for the test",
                            TestServer.TESTER);
        }
    }

    @AfterAll
    static void stop() {
        server.close();
        tpm.close();
    }

    private static Recipe recipe() {
        return Recipe.read(
                Path.of(System.getProperty("holdfast.root", "..")).resolve("docs/recipes/enrol-with-tpm.md"));
    }

    private Map<String, String> settings(DeviceRef device, String profile) {
        Map<String, String> all = new HashMap<>(tpm.settings());
        all.put("HOLDFAST", "localhost:" + server.server().devicePort());
        all.put("PKI", "http://localhost:" + server.server().pkiPort());
        all.put("DEVICE", device.id().value());
        all.put("PROFILE", profile);
        return all;
    }

    /// One TPM, and so one story: registered, enrolled, attested again.
    @Test
    void theRecipeEnrolsADeviceByItsTpmAndAttestsAgain() throws Exception {
        DeviceRef device = server.register("tpm-1");
        recipe().only("settings", "endorsement").run(folder, settings(device, "software-tpm"), Duration.ofMinutes(2));
        byte[] key = Pem.decode("PUBLIC KEY", Files.readString(folder.resolve("ek.pem")))
                .getFirst();
        Attestation attestation = server.server().attestation();
        assertThat(attestation
                        .endorsements()
                        .register(
                                new Endorsements.Key(Endorsements.fingerprint(key), device, true, false),
                                TestServer.TESTER))
                .isEqualTo(Endorsements.Registered.REGISTERED);
        assertThat(attestation
                        .endorsements()
                        .registerAnchor(
                                new Endorsements.Anchor(
                                        TestServer.ENVIRONMENT,
                                        Certificates.fingerprint(tpm.maker()),
                                        "swtpm",
                                        tpm.maker(),
                                        false,
                                        false),
                                TestServer.TESTER))
                .isTrue();

        var result = recipe().only(
                        "settings", "keys", "certificate", "challenge", "answer", "activate", "post", "quote")
                .run(folder, settings(device, "software-tpm"), Duration.ofMinutes(3));

        assertThat(result.text()).contains("CN = tpm-1").contains("\"verdict\":\"passed\"");
        IssuedCertificate issued =
                server.server().identity().certificates(device).getFirst();
        assertThat(issued.grantedBy()).isEqualTo("tpm");
        assertThat(attestation.verdicts(device, 5))
                .extracting(
                        Verdict::passed,
                        Verdict::software,
                        v -> v.life().orElseThrow().resets() > 0)
                .containsExactly(
                        org.assertj.core.groups.Tuple.tuple(true, true, true),
                        org.assertj.core.groups.Tuple.tuple(true, true, true));
        theLogSaysWhatChangedAndAGoodQuoteHeals(device, attestation);
    }

    /// The firmware measures, which nobody has approved: found, isolated, explained by its log. Approved, it
    /// heals; and what comes after is explained event by event.
    private void theLogSaysWhatChangedAndAGoodQuoteHeals(DeviceRef device, Attestation attestation) throws Exception {
        MeasuredBoot boot = new MeasuredBoot()
                .firmware("1.4.0")
                .variable("SecureBoot", new byte[] {1})
                .application("vmlinuz", "kernel");
        boot.events().forEach(TpmClientsTest::extend);
        assertThat(quoteWithLog(device, boot))
                .contains("\"eventLog\":\"replayed\"")
                .contains("\"failed\"");
        TestServer.await("isolated", () -> state(device) == Lifecycle.QUARANTINED);
        assertThat(server.server()
                        .response()
                        .incidents(TestServer.ENVIRONMENT, true, Optional.of(device), Long.MAX_VALUE, 5))
                .singleElement()
                .satisfies(open -> assertThat(open.incident().family()).isEqualTo(Incident.Family.INTEGRITY));

        assertThat(attestation.approve(device, "we installed 1.4.0", TestServer.TESTER))
                .isEqualTo(Attestation.Approval.APPROVED);
        assertThat(quoteWithLog(device, boot))
                .contains("\"eventLog\":\"replayed\"")
                .contains("\"passed\"");
        TestServer.await("healed", () -> state(device) == Lifecycle.ACTIVE);
        assertThat(server.server()
                        .response()
                        .incidents(TestServer.ENVIRONMENT, true, Optional.of(device), Long.MAX_VALUE, 5))
                .isEmpty();

        boot.application("implant.efi", "implant");
        extend(boot.events().getLast());
        assertThat(quoteWithLog(device, boot))
                .contains("EV_EFI_BOOT_SERVICES_APPLICATION 'implant.efi'".replace("'", "\\\""))
                .contains("was not expected");
        TestServer.await("isolated again", () -> state(device) == Lifecycle.QUARANTINED);

        Path file = Files.write(folder.resolve("boot.log"), boot.log());
        String read = tpm.tool("tpm2_eventlog", file.toString()).succeeded().text();
        String four = java.util.HexFormat.of().formatHex(boot.registers(), 4 * 32, 5 * 32);
        assertThat(read).as("tpm2_eventlog replays it as we do").contains(four);
    }

    private static Lifecycle state(DeviceRef device) {
        return server.server().inventory().find(device).orElseThrow().state();
    }

    private static void extend(MeasuredBoot.Event event) {
        tpm.tool(
                        "tpm2_pcrextend",
                        event.register() + ":sha256=" + java.util.HexFormat.of().formatHex(event.digest()))
                .succeeded();
    }

    private String quoteWithLog(DeviceRef device, MeasuredBoot boot) throws Exception {
        Map<String, String> settings = settings(device, "software-tpm");
        settings.put(
                "EVENTLOG",
                Files.write(folder.resolve("measurements"), boot.log()).toString());
        return recipe().only("settings", "post", "log")
                .run(folder, settings, Duration.ofMinutes(2))
                .text();
    }

    @Test
    void theSameTpmIsRefusedForAnotherDevice() throws Exception {
        DeviceRef device = server.register("tpm-2");
        Map<String, String> settings = settings(device, "tpm");
        String commands =
                recipe().only("settings", "keys", "certificate", "challenge", "answer", "activate").blocks().stream()
                        .map(Recipe.Block::commands)
                        .reduce("set -eu\n", String::concat);
        var refused = dev.holdfast.testkit.RealClient.of("bash", "-c", commands)
                .in(folder)
                .with(settings)
                .timeout(Duration.ofMinutes(3))
                .run()
                .failed();
        assertThat(refused.errors() + Files.readString(folder.resolve("activate.answer")))
                .containsAnyOf("endorsement-key-bound-to-another-device", "endorsement-key-not-registered");
    }
}
