package dev.holdfast.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.core.FirmwareVersion;
import dev.holdfast.testkit.MeasuredBoot;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// An event log that is sent with a quote says which event is other than expected, and is refused where it does
/// not lead to what was quoted.
class EventLogEvidenceTest {
    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.start();
        EnrolledTpm.allowSoftware(server);
        EnrolledTpm.policy(server, TestServer.MODEL.value(), true, Optional.empty());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static MeasuredBoot boot(int secureBoot, String kernel) {
        return new MeasuredBoot()
                .firmware("1.4.0")
                .variable("SecureBoot", new byte[] {(byte) secureBoot})
                .variable("PK", new byte[] {1, 2, 3})
                .separators()
                .application("vmlinuz", kernel);
    }

    private static Verdict last(EnrolledTpm one) {
        return server.server().attestation().verdicts(one.device().ref, 1).getFirst();
    }

    @Test
    void thePersonSeesWhichMeasuredEventDiffersFromTheReference() throws Exception {
        MeasuredBoot good = boot(1, "kernel");
        EnrolledTpm one = EnrolledTpm.enrol(server, new TpmDevice(server.register("log-1")).boots(good));
        JsonNode first = one.quote(good.log()).json();
        assertThat(first.path("verdict").asText()).isEqualTo("passed");
        assertThat(first.path("eventLog").asText()).isEqualTo("replayed");

        MeasuredBoot bad = boot(0, "kernel").application("EVIL.EFI", "another kernel");
        one.device().boots(bad);
        JsonNode second = one.quote(bad.log()).json();
        assertThat(second.path("verdict").asText()).isEqualTo("failed");
        assertThat(second.path("eventLog").asText()).isEqualTo("replayed");
        assertThat(second.path("differences").size()).isEqualTo(2);
        assertThat(second.path("differences").get(0).asText())
                .startsWith("sha256:4: expected ")
                .contains("EV_EFI_BOOT_SERVICES_APPLICATION \"EVIL.EFI\"")
                .endsWith("was not expected");
        assertThat(last(one).differences().get(1).events())
                .singleElement()
                .satisfies(change -> assertThat(change.text())
                        .matches("EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot \\([0-9a-f]{16}...\\)"
                                + " instead of EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot \\([0-9a-f]{16}...\\)"));
        assertThat(server.server()
                        .detection()
                        .findings(one.device().ref, Long.MAX_VALUE, 1)
                        .getFirst()
                        .finding()
                        .seen())
                .contains("sha256:7: EV_EFI_VARIABLE_DRIVER_CONFIG SecureBoot");
    }

    @Test
    void oneDevicesLogExplainsAnothersChangeWhenTheModelHasReferenceValues() throws Exception {
        MeasuredBoot old = boot(1, "kernel 1");
        MeasuredBoot current = boot(1, "kernel 2");
        TpmDevice first = new TpmDevice(server.register("log-2", "logged")).boots(current);
        EnrolledTpm.policy(server, "logged", false, Optional.empty(), wish("1.0", old), wish("2.0", current));
        EnrolledTpm one = EnrolledTpm.enrol(server, first);
        assertThat(one.quote(current.log()).text()).contains("\"replayed\"").contains("\"reference\":\"2.0\"");

        EnrolledTpm two = EnrolledTpm.enrol(server, new TpmDevice(server.register("log-3", "logged")).boots(old));
        MeasuredBoot bad = boot(1, "kernel of nobody");
        two.device().boots(bad);
        JsonNode answer = two.quote(bad.log()).json();
        assertThat(last(two).expected()).hasValue("2.0"); // as near as 1.0, and newer
        assertThat(answer.path("differences").get(0).asText()).contains("EV_EFI_BOOT_SERVICES_APPLICATION");
    }

    private static References.Wish wish(String version, MeasuredBoot boot) {
        Map<String, String> values =
                new TpmDevice(TestServer.device("any")).boots(boot).values();
        return new References.Wish(version, Optional.of(new FirmwareVersion(version)), values, false);
    }

    @Test
    void aLogThatDoesNotReplayIsNoEvidenceAndTheQuoteIsJudgedByItself() throws Exception {
        MeasuredBoot good = boot(1, "kernel");
        EnrolledTpm one = EnrolledTpm.enrol(server, new TpmDevice(server.register("log-4")).boots(good));
        JsonNode lied = one.quote(boot(1, "what it is not").log()).json();
        assertThat(lied.path("verdict").asText()).isEqualTo("passed");
        assertThat(lied.path("eventLog").asText()).startsWith("not-replayed: it leads PCR 4 (sha256) to ");

        for (byte[] log : List.of(
                "not a log".getBytes(StandardCharsets.US_ASCII), new byte[0], new byte[400_000], cut(good.log()))) {
            assertThat(one.quote(log).json().path("eventLog").asText()).startsWith("malformed: ");
        }
        assertThat(one.quote(new MeasuredBoot().log()).json().path("eventLog").asText())
                .isEqualTo("not-replayed: it extends none of the registers that are quoted");

        one.device().boots(boot(0, "kernel"));
        JsonNode failed = one.quote(good.log()).json();
        assertThat(failed.path("verdict").asText()).isEqualTo("failed");
        assertThat(failed.path("eventLog").asText()).startsWith("not-replayed: it leads PCR 7");
        assertThat(last(one).differences()).singleElement().satisfies(d -> {
            assertThat(d.register()).isEqualTo("sha256:7");
            assertThat(d.events()).isEmpty();
        });
        one.device().attestation = dev.holdfast.testkit.SoftTpm.ec(dev.holdfast.testkit.SoftTpm.AK);
        assertThat(one.quote(good.log()).json().path("eventLog").asText()).contains("is not believed");
    }

    private static byte[] cut(byte[] log) {
        return java.util.Arrays.copyOf(log, log.length - 1);
    }

    @Test
    void aLogThatIsTooLargeIsNotTaken() throws Exception {
        EnrolledTpm one = EnrolledTpm.enrol(server, "log-5");
        assertThat(one.quote(new byte[530_000]).status()).isEqualTo(400);
        assertThat(one.quote(new byte[700_000]).status()).isEqualTo(413);
    }

    @Test
    void eventsThatCameWentOrChangedAreAligned() {
        assertThat(changes("a b c d", "a b c d")).isEmpty();
        assertThat(changes("a b c d", "a x c d")).containsExactly("x instead of b");
        assertThat(changes("a b c d", "a b n c d")).containsExactly("n was not expected");
        assertThat(changes("a b c d", "a c d")).containsExactly("b is missing");
        assertThat(changes("a b c d", "n a b x d e"))
                .containsExactly("n was not expected", "x instead of c", "e was not expected");
        assertThat(changes("a a a", "a a")).containsExactly("a is missing");
        assertThat(changes("", "a")).as("nothing is known of the reference").isEmpty();
    }

    private static List<String> changes(String expected, String seen) {
        return MeasuredEvents.changes(events(expected), events(seen), "sha256:7").stream()
                .map(change -> change.text().replaceAll(" \\([0-9a-f]+\\.\\.\\.\\)", ""))
                .toList();
    }

    private static MeasuredEvents events(String names) {
        return new MeasuredEvents(Map.of(
                "sha256:7",
                java.util.Arrays.stream(names.split(" ", -1))
                        .filter(name -> !name.isEmpty())
                        .map(name -> new MeasuredEvents.Measured(
                                java.util.HexFormat.of().formatHex(name.getBytes(StandardCharsets.US_ASCII)), name))
                        .toList()));
    }
}
