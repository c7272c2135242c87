package dev.holdfast.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.detection.Detection;
import dev.holdfast.detection.Finding;
import dev.holdfast.detection.Finding.Cause;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.response.Action;
import dev.holdfast.response.Incident;
import dev.holdfast.response.Response;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.testkit.SoftTpm;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// From a quote that is not as it should be, or does not come, to what is done about it, and back.
class AttestationFindingsTest {
    private static TestServer server;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.start();
        EnrolledTpm.allowSoftware(server);
        EnrolledTpm.policy(server, TestServer.MODEL.value(), true, Optional.empty());
        server.server()
                .response()
                .setLimits(
                        TestServer.ENVIRONMENT,
                        new dev.holdfast.response.Limits(1, 50, Duration.ofHours(1)),
                        "every test isolates one",
                        TestServer.TESTER);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static List<Finding> findings(DeviceRef device) {
        return server.server().detection().findings(device, Long.MAX_VALUE, 20).stream()
                .map(Detection.Stored::finding)
                .toList();
    }

    private static List<Response.Case> incidents(DeviceRef device) {
        return server.server()
                .response()
                .incidents(TestServer.ENVIRONMENT, false, Optional.of(device), Long.MAX_VALUE, 10);
    }

    private static Lifecycle state(DeviceRef device) {
        return server.server().inventory().find(device).orElseThrow().state();
    }

    private static void awaitState(DeviceRef device, Lifecycle wanted) {
        TestServer.await(device + " is " + wanted, () -> state(device) == wanted);
    }

    @Test
    void aChangedBootIsProvenIsolatesAndHealsByAGoodQuote() throws Exception {
        EnrolledTpm one = EnrolledTpm.enrol(server, "boot-1");
        DeviceRef device = one.device().ref;
        byte[] good = one.device().registers.clone();
        one.device().boots("other");
        assertThat(one.quote().text()).contains("\"failed\"");

        awaitState(device, Lifecycle.QUARANTINED);
        assertThat(findings(device)).singleElement().satisfies(finding -> {
            assertThat(finding.cause()).isEqualTo(Cause.ATTESTED_STATE_NOT_APPROVED);
            assertThat(finding.provenance()).isEqualTo(Provenance.PROVEN);
            assertThat(finding.severity()).isEqualTo(Finding.Severity.HIGH);
            assertThat(finding.seen()).contains("[sha256:0] differ from 'first use'");
        });
        assertThat(incidents(device)).singleElement().satisfies(incident -> {
            assertThat(incident.incident().family()).isEqualTo(Incident.Family.INTEGRITY);
            assertThat(incident.actions())
                    .extracting(Action::kind, Action::status)
                    .containsExactly(
                            org.assertj.core.groups.Tuple.tuple(Action.Kind.QUARANTINE, Action.Status.IN_FORCE));
        });
        assertThat(one.quote().text()).contains("\"failed\""); // the same again
        assertThat(findings(device)).as("the same is told once an hour").hasSize(1);

        one.device().registers = good;
        assertThat(one.quote().text()).contains("\"passed\"");
        awaitState(device, Lifecycle.ACTIVE);
        assertThat(incidents(device)).singleElement().satisfies(incident -> {
            assertThat(incident.incident().isOpen()).isFalse();
            assertThat(incident.incident().closed().orElseThrow().reason()).contains("good attestation");
            assertThat(incident.actions()).extracting(Action::status).containsExactly(Action.Status.HEALED);
        });
    }

    @Test
    void whatAPersonUndidWaitsForAPersonTheNextTimeAndIsWithdrawnWhenTheDeviceHeals() throws Exception {
        EnrolledTpm one = EnrolledTpm.enrol(server, "boot-2");
        DeviceRef device = one.device().ref;
        byte[] good = one.device().registers.clone();
        one.device().boots("other");
        one.quote();
        awaitState(device, Lifecycle.QUARANTINED);
        server.server()
                .response()
                .undo(
                        TestServer.ENVIRONMENT,
                        incidents(device).getFirst().incident().id(),
                        "we are trying it",
                        TestServer.TESTER);
        assertThat(state(device)).isNotEqualTo(Lifecycle.QUARANTINED);

        one.device().boots("yet another");
        one.quote();
        TestServer.await(
                "it waits for a person",
                () -> incidents(device).getFirst().actions().stream()
                        .anyMatch(a -> a.status() == Action.Status.AWAITING_APPROVAL));
        one.device().registers = good;
        one.quote();
        TestServer.await(
                "both incidents are closed",
                () -> incidents(device).stream().noneMatch(i -> i.incident().isOpen()));
        assertThat(incidents(device).getFirst().actions())
                .extracting(Action::status)
                .containsExactly(Action.Status.HEALED);
        assertThat(state(device)).isNotEqualTo(Lifecycle.QUARANTINED);
    }

    @Test
    void aQuoteOfAnotherKeyIsProvenAtOnce() throws Exception {
        EnrolledTpm one = EnrolledTpm.enrol(server, "key-1");
        one.device().attestation = SoftTpm.ec(SoftTpm.AK);
        assertThat(one.quote().text()).contains("signature-wrong");
        awaitState(one.device().ref, Lifecycle.QUARANTINED);
        assertThat(findings(one.device().ref))
                .extracting(Finding::cause, Finding::provenance)
                .containsExactly(org.assertj.core.groups.Tuple.tuple(Cause.ATTESTATION_KEY_WRONG, Provenance.PROVEN));
    }

    @Test
    void oneReplayIsTold_TheThirdInARowIsolates() throws Exception {
        EnrolledTpm one = EnrolledTpm.enrol(server, "replay-1");
        DeviceRef device = one.device().ref;
        Map<String, Object> old = one.device().quoteAgain(one.nonce());
        assertThat(one.send(old).text()).contains("\"passed\"");
        assertThat(one.send(old).text()).contains("nonce-stale");
        TestServer.await("told", () -> !incidents(device).isEmpty());
        assertThat(findings(device)).singleElement().satisfies(finding -> {
            assertThat(finding.cause()).isEqualTo(Cause.ATTESTATION_NOT_BELIEVED);
            assertThat(finding.severity()).isEqualTo(Finding.Severity.MEDIUM);
        });
        JsonNode fresh = one.nonce();
        Map<String, Object> replayed = new HashMap<>(old);
        replayed.put("session", fresh.path("session").asText());
        assertThat(one.send(replayed).text()).contains("nonce-stale: the quote was made for another nonce");
        assertThat(state(device)).isNotEqualTo(Lifecycle.QUARANTINED);
        assertThat(one.send(old).text()).contains("nonce-stale");
        awaitState(device, Lifecycle.QUARANTINED);
        assertThat(one.quote().text()).contains("\"passed\"");
        TestServer.await("healed", () -> state(device) != Lifecycle.QUARANTINED);
    }

    @Test
    void aDeviceThatDoesNotAttestInTimeIsToldOfAndNeverIsolatedForIt() throws Exception {
        EnrolledTpm.policy(server, "hourly", true, Optional.of(Duration.ofHours(1)));
        EnrolledTpm one = EnrolledTpm.enrol(server, new TpmDevice(server.register("late-1", "hourly")));
        EnrolledTpm other = EnrolledTpm.enrol(server, "late-2");
        DeviceRef device = one.device().ref;
        Attestation attestation = server.server().attestation();
        attestation.tellOverdue(Instant.now().plus(Duration.ofMinutes(50)));
        assertThat(findings(device)).isEmpty();
        attestation.tellOverdue(Instant.now().plus(Duration.ofMinutes(70)));
        attestation.tellOverdue(Instant.now().plus(Duration.ofMinutes(90)));

        assertThat(findings(device)).singleElement().satisfies(finding -> {
            assertThat(finding.cause()).isEqualTo(Cause.ATTESTATION_OVERDUE);
            assertThat(finding.provenance()).isEqualTo(Provenance.CLAIMED);
        });
        assertThat(findings(other.device().ref)).isEmpty();
        TestServer.await("an incident", () -> !incidents(device).isEmpty());
        assertThat(incidents(device).getFirst().actions()).isEmpty();
        assertThat(state(device)).isNotEqualTo(Lifecycle.QUARANTINED);
        assertThat(one.quote().text()).contains("\"passed\"");
        TestServer.await(
                "closed",
                () -> incidents(device).stream().noneMatch(i -> i.incident().isOpen()));
    }

    @Test
    void aDeviceThatHasNeverAttestedIsOverdueToo() throws Exception {
        EnrolledTpm.policy(server, "daily", true, Optional.of(Duration.ofDays(1)));
        DeviceRef device = server.register("never-1", "daily");
        DeviceRef registered = server.register("never-2", "daily");
        dev.holdfast.est.EstCaller.enrolled(
                server,
                device,
                dev.holdfast.protocol.x509.Crypto.generateP256(new java.security.SecureRandom()),
                server.credential(device));
        server.server().attestation().tellOverdue(Instant.now().plus(Duration.ofHours(25)));
        assertThat(findings(device)).singleElement().satisfies(finding -> {
            assertThat(finding.cause()).isEqualTo(Cause.ATTESTATION_OVERDUE);
            assertThat(finding.seen()).isEqualTo("it has never attested");
        });
        assertThat(findings(registered)).as("it is not in service yet").isEmpty();
    }

    @Test
    void valuesThatNobodyApprovedAreRefusedWhereThePolicyDoesNotSayFirstUse() throws Exception {
        TpmDevice device = new TpmDevice(server.register("strict-1", "strict"));
        server.server()
                .attestation()
                .endorsements()
                .register(new Endorsements.Key(device.fingerprint(), device.ref, true, false), TestServer.TESTER);
        JsonNode asked = AttestCaller.post(server, "challenge", device.challenge(), Optional.empty())
                .json();
        assertThat(AttestCaller.post(server, "activate", device.answer(asked), Optional.empty())
                        .text())
                .contains("pcr-values-not-approved")
                .contains("no reference values");
        EnrolledTpm.policy(
                server,
                "strict",
                false,
                Optional.empty(),
                new References.Wish("1.0", Optional.empty(), device.values(), false));
        assertThat(EnrolledTpm.enrol(server, device).quote().text()).contains("\"reference\":\"1.0\"");
    }
}
