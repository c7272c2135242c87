package dev.holdfast.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.est.EstCaller;
import dev.holdfast.testkit.SoftTpm;
import dev.holdfast.testkit.SoftTpm.Life;
import java.security.cert.X509Certificate;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Attestation during a device's life, over its operational certificate.
class ReattestationTest {
    private static TestServer server;
    private static Attestation attestation;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.start();
        attestation = server.server().attestation();
        EnrolledTpm.allowSoftware(server);
        EnrolledTpm.policy(server, TestServer.MODEL.value(), true, Optional.empty());
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static EnrolledTpm enrolled(String id) throws Exception {
        return EnrolledTpm.enrol(server, id);
    }

    @Test
    void aDeviceQuotesAgainAndAgain() throws Exception {
        EnrolledTpm one = enrolled("again-1");
        assertThat(one.quote().text()).isEqualTo("{\"faults\":[],\"reference\":\"first use\",\"verdict\":\"passed\"}");
        one.device().life = new Life(9_000, 2, 0, Life.FIRST.firmware());
        assertThat(one.quote().text()).contains("\"passed\"");
        assertThat(attestation.verdicts(one.device().ref, 10))
                .extracting(Verdict::occasion)
                .containsExactly(
                        Verdict.Occasion.REATTESTATION, Verdict.Occasion.REATTESTATION, Verdict.Occasion.ENROLMENT);
    }

    @Test
    void aQuarantinedDeviceMayAttest() throws Exception {
        EnrolledTpm one = enrolled("again-2");
        server.server().identity().quarantine(one.device().ref, "odd", Optional.empty(), TestServer.TESTER);
        TestServer.await(
                "quarantined",
                () -> server.server()
                        .inventory()
                        .directory()
                        .find(one.device().ref)
                        .orElseThrow()
                        .state()
                        .text()
                        .equals("quarantined"));
        assertThat(one.quote().text()).contains("\"passed\"");
    }

    @Test
    void aSuspendedDeviceMayNot() throws Exception {
        EnrolledTpm one = enrolled("again-3");
        server.server().identity().suspend(one.device().ref, "in doubt", Optional.empty(), TestServer.TESTER);
        TestServer.await(
                "suspended",
                () -> server.server()
                        .inventory()
                        .directory()
                        .find(one.device().ref)
                        .orElseThrow()
                        .state()
                        .text()
                        .equals("suspended"));
        AttestCaller.Answer answer = AttestCaller.send(server, "nonce", "{}", Optional.of(one.caller()));
        assertThat(answer.status()).isEqualTo(403);
        assertThat(answer.text()).contains("DEVICE_SUSPENDED");
    }

    @Test
    void whatChangedIsSaidAndKept() throws Exception {
        EnrolledTpm one = enrolled("again-4");
        one.device().boots("other");
        assertThat(one.quote().text()).contains("pcr-values-not-approved").contains("\"failed\"");
        Verdict last = attestation.verdicts(one.device().ref, 1).getFirst();
        assertThat(last.passed()).isFalse();
        assertThat(last.registers()).isEqualTo(one.device().values());
        assertThat(server.server().journal().about("device:again-4", Long.MAX_VALUE, 20).stream()
                        .map(entry -> entry.json().path("kind").asText()))
                .contains("attestation.failed");
    }

    @Test
    void refusesAnOldNonceAndAnothersNonceAndAnotherKey() throws Exception {
        EnrolledTpm one = enrolled("again-5");
        EnrolledTpm two = enrolled("again-6");
        JsonNode asked = one.nonce();
        assertThat(one.send(one.device().quoteAgain(asked)).text()).contains("\"passed\"");
        assertThat(one.send(one.device().quoteAgain(asked)).text()).contains("nonce-stale");
        assertThat(one.send(one.device().quoteAgain(two.nonce())).text()).contains("nonce-stale");
        one.device().attestation = SoftTpm.ec(SoftTpm.AK);
        assertThat(one.quote().text()).contains("signature-wrong");
    }

    @Test
    void aDeviceThatFailsAgainAndAgainIsSlowedDown() throws Exception {
        EnrolledTpm one = enrolled("again-8");
        JsonNode used = one.nonce();
        Map<String, Object> quote = one.device().quoteAgain(used);
        one.send(quote);
        for (int i = 0; i < 12; i++) {
            one.send(quote);
        }
        assertThat(one.send(quote).status()).isEqualTo(429);
        assertThat(attestation.verdicts(one.device().ref, 50)).hasSizeLessThanOrEqualTo(20);
        assertThat(enrolled("again-9").quote().text()).contains("\"passed\"");
    }

    @Test
    void aDeviceWithoutATpmHasNoAttestationKeyHere() throws Exception {
        TpmDevice device = new TpmDevice(server.register("again-7"));
        String credential = server.credential(device.ref);
        X509Certificate issued = EstCaller.enrolled(server, device.ref, device.key.pair(), credential);
        EnrolledTpm one = new EnrolledTpm(server, device, new AttestCaller.Caller(device.key.pair(), issued));
        assertThat(one.quote().text()).contains("attestation-key-unknown");
    }
}
