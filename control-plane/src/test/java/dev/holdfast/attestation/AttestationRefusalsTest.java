package dev.holdfast.attestation;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.TestServer;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Json;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.identity.Admission;
import dev.holdfast.profiles.CertificateProfile;
import dev.holdfast.profiles.ProfileText;
import dev.holdfast.protocol.tpm.PcrSelection;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.testkit.SoftTpm;
import dev.holdfast.testkit.SoftTpm.Life;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What a TPM can say that must not give a certificate, each by a TPM that is made to say it.
class AttestationRefusalsTest {
    private static final AtomicReference<Duration> AHEAD = new AtomicReference<>(Duration.ZERO);
    private static TestServer server;
    private static Attestation attestation;

    @BeforeAll
    static void start() throws Exception {
        server = TestServer.start(
                Files.createTempDirectory("holdfast-test-server"),
                TestDatabase.freshAddress(),
                Map.of(),
                () -> Instant.now().plus(AHEAD.get()));
        EnrolledTpm.policy(server, TestServer.MODEL.value(), true, Optional.empty());
        attestation = server.server().attestation();
        profile("lab", "software-tpm");
        profile("field", "tpm");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void profile(String name, String wanted) throws Exception {
        CertificateProfile profile = ProfileText.read(
                name, Json.tree("{\"admittance\":{\"credentials\":[\"tpm\"],\"attestation\":\"" + wanted + "\"}}"));
        server.server().ca().profiles().put(TestServer.ENVIRONMENT, profile, "for the test", TestServer.TESTER);
    }

    /// A device of a model of its own, so that reference values of one test are not another's.
    private static TpmDevice registered(String id) {
        TpmDevice device = new TpmDevice(server.register(id));
        register(device, false);
        return device;
    }

    private static void register(TpmDevice device, boolean hardware) {
        assertThat(attestation
                        .endorsements()
                        .register(
                                new Endorsements.Key(device.fingerprint(), device.ref, !hardware, false),
                                TestServer.TESTER))
                .isEqualTo(Endorsements.Registered.REGISTERED);
    }

    private static JsonNode ask(TpmDevice device) throws Exception {
        return AttestCaller.post(server, "challenge", device.challenge(), Optional.empty())
                .json();
    }

    private static AttestCaller.Answer activate(TpmDevice device) throws Exception {
        return activate(device.answer(ask(device)));
    }

    private static AttestCaller.Answer activate(Map<String, Object> answer) throws Exception {
        return AttestCaller.post(server, "activate", answer, Optional.empty());
    }

    private static String text(Map<String, Object> answer, String field) {
        return Objects.requireNonNull(answer.get(field), field).toString();
    }

    private static void assertRefused(AttestCaller.Answer answer, String fault) {
        assertThat(answer.text()).contains("problems/" + fault + "\"");
        assertThat(answer.status()).isEqualTo(403);
    }

    private static void assertIssued(AttestCaller.Answer answer) {
        assertThat(answer.status()).as(answer.text()).isEqualTo(200);
        assertThat(answer.json().path("certificate").asText()).isNotEmpty();
    }

    // ------------------------------------------------------------------ the good case

    @Test
    void aTpmThatShowsWhatIsAskedGetsACertificateThatSaysSo() throws Exception {
        TpmDevice device = registered("good-1");
        assertIssued(activate(device));
        IssuedCertificate issued =
                server.server().identity().certificates(device.ref).getFirst();
        assertThat(issued.grantedBy()).isEqualTo("tpm");
        assertThat(issued.profile()).isEqualTo("lab");
        Verdict verdict = attestation.verdicts(device.ref, 5).getFirst();
        assertThat(verdict.passed()).isTrue();
        assertThat(verdict.software()).isTrue();
        assertThat(verdict.registers()).isEqualTo(device.values());
        assertThat(kinds(device.ref)).contains("attestation.passed", "tpm.reference-pinned", "certificate.issued");
    }

    private static List<String> kinds(DeviceRef device) {
        return server.server().journal().about("device:" + device.id(), Long.MAX_VALUE, 50).stream()
                .map(entry -> entry.json().path("kind").asText())
                .toList();
    }

    @Test
    void anRsaTpmDoesAsWell() throws Exception {
        TpmDevice device = new TpmDevice(server.register("good-rsa"));
        device.endorsement = SoftTpm.rsa(SoftTpm.EK);
        device.attestation = SoftTpm.rsa(SoftTpm.AK);
        register(device, false);
        assertIssued(activate(device));
    }

    @Test
    void aLostAnswerIsHealedByTheSameKeyWithANewChallenge() throws Exception {
        TpmDevice device = registered("good-2");
        String first = activate(device).json().path("certificate").asText();
        assertThat(activate(device).json().path("certificate").asText()).isEqualTo(first);
    }

    /// Late, by fresh attestation: it needs neither its old certificate nor a person, and may have a new key.
    @Test
    void aDeviceWhoseCertificateHasEndedComesBackByItsTpm() throws Exception {
        CertificateProfile brief = ProfileText.read(
                "brief",
                Json.tree("{\"validity\":{\"lifetime\":\"PT1M\"},\"rotation\":{\"lateWindow\":\"PT0S\"},"
                        + "\"admittance\":{\"credentials\":[\"tpm\"],\"attestation\":\"software-tpm\"}}"));
        server.server().ca().profiles().put(TestServer.ENVIRONMENT, brief, "for the test", TestServer.TESTER);
        TpmDevice device = registered("late-1");
        device.profile = "brief";
        assertIssued(activate(device));
        IssuedCertificate first =
                server.server().identity().certificates(device.ref).getFirst();
        AHEAD.set(Duration.ofMinutes(3));
        try {
            assertThat(server.server()
                            .identity()
                            .admit(
                                    Certificates.parse(first.der().orElseThrow()),
                                    Instant.now().plus(AHEAD.get())))
                    .isInstanceOf(Admission.Refused.class);
            device.key = SoftTpm.ec(SoftTpm.DEVICE);
            assertIssued(activate(device));
            IssuedCertificate next =
                    server.server().identity().certificates(device.ref).getFirst();
            assertThat(next.serial()).isNotEqualTo(first.serial());
            assertThat(next.notAfter()).isAfter(Instant.now().plus(AHEAD.get()));
        } finally {
            AHEAD.set(Duration.ZERO);
        }
    }

    // ------------------------------------------------------------------ the challenge

    @Test
    void refusesAChallengeThatWasAnsweredAlready() throws Exception {
        TpmDevice device = registered("nonce-1");
        Map<String, Object> answer = device.answer(ask(device));
        assertIssued(activate(answer));
        assertRefused(activate(answer), "nonce-stale");
    }

    @Test
    void refusesAQuoteOverAnotherNonce() throws Exception {
        TpmDevice device = registered("nonce-2");
        Map<String, Object> old = device.quoteAgain(ask(device));
        Map<String, Object> answer = device.answer(ask(device));
        answer.putAll(Map.of("quote", text(old, "quote"), "quoteSignature", text(old, "quoteSignature")));
        assertRefused(activate(answer), "nonce-stale");
    }

    @Test
    void refusesASessionThatWeDidNotSeal() throws Exception {
        TpmDevice device = registered("nonce-3");
        Map<String, Object> answer = device.answer(ask(device));
        String session = text(answer, "session");
        answer.put("session", "A" + session.substring(1));
        assertRefused(activate(answer), "nonce-stale");
        answer.put("session", session.substring(0, session.indexOf('.')) + ".AAAA");
        assertRefused(activate(answer), "nonce-stale");
    }

    @Test
    void refusesASecretThatIsNotTheCredentials() throws Exception {
        TpmDevice device = registered("secret-1");
        Map<String, Object> answer = device.answer(ask(device));
        answer.put("activated", TpmDevice.base64(new byte[32]));
        assertRefused(activate(answer), "credential-not-activated");
        assertThat(attestation.verdicts(device.ref, 5)).isEmpty();
    }

    // ------------------------------------------------------------------ the endorsement key

    @Test
    void refusesAnEndorsementKeyThatNobodyRegistered() throws Exception {
        assertRefused(activate(new TpmDevice(server.register("ek-1"))), "endorsement-key-not-registered");
    }

    @Test
    void refusesAnEndorsementKeyThatIsAnotherDevices() throws Exception {
        TpmDevice owner = registered("ek-2");
        TpmDevice thief = new TpmDevice(server.register("ek-3"));
        thief.endorsement = owner.endorsement;
        assertRefused(activate(thief), "endorsement-key-bound-to-another-device");
        assertThat(attestation
                        .endorsements()
                        .register(new Endorsements.Key(owner.fingerprint(), thief.ref, true, false), TestServer.TESTER))
                .isEqualTo(Endorsements.Registered.BELONGS_TO_ANOTHER_DEVICE);
    }

    @Test
    void refusesATpmThatIsNotTheOneThatTheDeviceWasRegisteredWith() throws Exception {
        TpmDevice device = registered("ek-4");
        device.endorsement = SoftTpm.ec(SoftTpm.EK);
        assertRefused(activate(device), "endorsement-key-is-not-the-devices");
    }

    @Test
    void refusesAnEndorsementKeyWithoutItsAttributes() throws Exception {
        TpmDevice device = new TpmDevice(server.register("ek-5"));
        device.endorsement = SoftTpm.ec(SoftTpm.EK & ~SoftTpm.FIXED_TPM);
        register(device, false);
        assertRefused(activate(device), "endorsement-key-not-accepted");
    }

    @Test
    void refusesASoftwareTpmWhereTheProfileWantsARealOne() throws Exception {
        TpmDevice device = registered("soft-1");
        device.profile = "field";
        assertRefused(activate(device), "software-tpm-not-allowed");
        assertThat(attestation.verdicts(device.ref, 5).getFirst().passed()).isFalse();

        TpmDevice real = new TpmDevice(server.register("soft-2"));
        real.profile = "field";
        register(real, true);
        assertIssued(activate(real));
    }

    @Test
    void refusesATpmWhereTheProfileTakesNone() throws Exception {
        server.server()
                .ca()
                .profiles()
                .put(
                        TestServer.ENVIRONMENT,
                        ProfileText.read("tokens-only", Json.tree("{\"admittance\":{\"credentials\":[\"token\"]}}")),
                        "for the test",
                        TestServer.TESTER);
        TpmDevice device = registered("soft-3");
        device.profile = "tokens-only";
        assertRefused(activate(device), "credential-not-accepted-by-profile");
    }

    // ------------------------------------------------------------------ attestation key, device key, statements

    @Test
    void refusesAnAttestationKeyThatIsNotRestrictedOrNotFixedToItsTpm() throws Exception {
        for (int attributes : new int[] {
            SoftTpm.AK & ~SoftTpm.RESTRICTED, SoftTpm.AK & ~SoftTpm.FIXED_TPM, SoftTpm.AK & ~SoftTpm.ORIGIN
        }) {
            TpmDevice device = registered("ak-" + attributes);
            device.attestation = SoftTpm.ec(attributes);
            assertRefused(activate(device), "attestation-key-not-accepted");
        }
    }

    @Test
    void refusesADeviceKeyThatCouldLeaveItsTpm() throws Exception {
        TpmDevice device = registered("key-1");
        device.key = SoftTpm.ec(SoftTpm.DEVICE & ~SoftTpm.FIXED_TPM & ~SoftTpm.FIXED_PARENT);
        assertRefused(activate(device), "key-not-bound-to-the-tpm");
    }

    @Test
    void refusesACertificationOfAnotherKeyThanTheRequests() throws Exception {
        TpmDevice device = registered("key-2");
        Map<String, Object> answer = device.answer(ask(device));
        device.signed(
                answer,
                "certifyInfo",
                "certifySignature",
                SoftTpm.certify(device.attestation, SoftTpm.ec(SoftTpm.DEVICE), new byte[0], Life.FIRST));
        assertRefused(activate(answer), "key-not-certified");

        TpmDevice other = registered("key-3");
        Map<String, Object> mixed = other.answer(ask(other));
        device.key = SoftTpm.ec(SoftTpm.DEVICE);
        mixed.put("csr", device.answer(ask(device)).get("csr"));
        assertThat(activate(mixed).status()).isEqualTo(403);
    }

    @Test
    void refusesStatementsWithAWrongMagicOrOfAWrongType() throws Exception {
        TpmDevice device = registered("magic-1");
        JsonNode asked = ask(device);
        Map<String, Object> answer = device.answer(asked);
        device.signed(
                answer,
                "certifyInfo",
                "certifySignature",
                SoftTpm.attest(
                        0xff544348,
                        SoftTpm.CERTIFY,
                        device.attestation.name(),
                        new byte[0],
                        Life.FIRST,
                        SoftTpm.named(device.key)));
        assertRefused(activate(answer), "magic-wrong");

        answer = device.answer(ask(device));
        device.signed(
                answer,
                "quote",
                "quoteSignature",
                SoftTpm.certify(device.attestation, device.key, new byte[0], Life.FIRST));
        assertRefused(activate(answer), "type-wrong");

        answer = device.answer(ask(device));
        answer.put("quote", TpmDevice.base64(new byte[3]));
        assertRefused(activate(answer), "structure-malformed");
    }

    @Test
    void refusesStatementsThatAreSignedByAnotherKey() throws Exception {
        TpmDevice device = registered("signature-1");
        for (String statement : List.of("certify", "quote")) {
            Map<String, Object> answer = device.answer(ask(device));
            String message = statement.equals("certify") ? "certifyInfo" : "quote";
            answer.put(
                    statement + "Signature",
                    TpmDevice.base64(SoftTpm.sign(
                            SoftTpm.ec(SoftTpm.AK), Base64.getDecoder().decode(text(answer, message)))));
            assertRefused(activate(answer), "signature-wrong");
        }
    }

    // ------------------------------------------------------------------ registers, and the TPM's life

    @Test
    void refusesValuesThatWereNotQuotedAndQuotesThatLackRegisters() throws Exception {
        TpmDevice device = registered("pcr-1");
        Map<String, Object> answer = device.answer(ask(device));
        byte[] values = Base64.getDecoder().decode(text(answer, "pcrValues"));
        values[0] ^= 1;
        answer.put("pcrValues", TpmDevice.base64(values));
        assertRefused(activate(answer), "pcr-values-wrong");

        device.quoted = List.of(0, 1, 2);
        assertRefused(activate(device), "pcrs-missing");
    }

    @Test
    void refusesWhatTheDeviceDidNotHaveWhenItWasFirstSeenUntilAnOperatorApproves() throws Exception {
        TpmDevice device = registered("pcr-2").boots("1.0");
        assertIssued(activate(device));
        device.boots("2.0");
        device.key = SoftTpm.ec(SoftTpm.DEVICE);
        assertRefused(activate(device), "pcr-values-not-approved");
        assertThat(attestation.verdicts(device.ref, 1).getFirst().faults().getFirst())
                .contains("[sha256:0] differ from 'first use'");

        assertThat(attestation.approve(device.ref, "updated by hand", TestServer.TESTER))
                .isEqualTo(Attestation.Approval.APPROVED);
        assertIssued(activate(device));
        device.boots("1.0");
        assertRefused(activate(device), "pcr-regression");
    }

    @Test
    void refusesADeviceThatGoesBackToWhatItsModelHasSuperseded() throws Exception {
        TpmDevice device = new TpmDevice(server.register("pcr-3", "pcr-model"));
        register(device, false);
        Map<String, String> old = device.boots("1.0").values();
        Map<String, String> now = device.boots("2.0").values();
        references("pcr-model", wish("1.0", old), wish("2.0", now));
        assertIssued(activate(device));

        // Both are in force, for a fleet that is being updated; this device has been at the later one.
        device.boots("1.0");
        device.key = SoftTpm.ec(SoftTpm.DEVICE);
        assertRefused(activate(device), "pcr-regression");

        TpmDevice late = new TpmDevice(server.register("pcr-4", "pcr-model")).boots("1.0");
        register(late, false);
        assertIssued(activate(late));
        references("pcr-model", wish("2.0", now));
        late.key = SoftTpm.ec(SoftTpm.DEVICE);
        assertRefused(activate(late), "pcr-regression");
        late.boots("3.0");
        assertRefused(activate(late), "pcr-values-not-approved");
    }

    private static References.Wish wish(String name, Map<String, String> values) {
        return new References.Wish(name, java.util.Optional.empty(), values, false);
    }

    private static void references(String model, References.Wish... wishes) {
        attestation
                .references()
                .put(
                        TestServer.ENVIRONMENT,
                        new dev.holdfast.core.ModelId(model),
                        new References.ModelReferences(
                                new PcrPolicy(PcrSelection.parse("sha256:0,1,2,3,4,5,6,7"), false, Optional.empty()),
                                List.of(wishes)),
                        "for the test",
                        TestServer.TESTER);
    }

    @Test
    void refusesATpmWhoseCountersOrFirmwareWentBack() throws Exception {
        TpmDevice device = registered("life-1");
        device.life = new Life(5_000, 7, 2, 0x0002_0000L);
        assertIssued(activate(device));
        device.key = SoftTpm.ec(SoftTpm.DEVICE);
        for (Life back : List.of(new Life(6_000, 6, 9, 0x0002_0000L), new Life(6_000, 7, 1, 0x0002_0000L))) {
            device.life = back;
            assertRefused(activate(device), "counters-went-back");
        }
        device.life = new Life(4_000, 7, 2, 0x0002_0000L);
        assertRefused(activate(device), "counters-went-back");
        device.life = new Life(6_000, 8, 0, 0x0001_0000L);
        assertRefused(activate(device), "tpm-firmware-went-back");
        device.life = new Life(6_000, 8, 0, 0x0002_0001L);
        assertIssued(activate(device));
    }

    // ------------------------------------------------------------------ messages

    @Test
    void refusesBodiesThatAreNotTheMessage() throws Exception {
        TpmDevice device = registered("message-1");
        for (String body : List.of("", "[]", "{", "{\"device\":7}", "{\"x\":\"y\"}", "{\"device\":\"../x\"}")) {
            assertThat(AttestCaller.send(server, "challenge", body, Optional.empty())
                            .status())
                    .as(body)
                    .isEqualTo(400);
        }
        Map<String, Object> challenge = device.challenge();
        challenge.put("akPublic", TpmDevice.base64(new byte[9]));
        assertThat(AttestCaller.post(server, "challenge", challenge, Optional.empty())
                        .text())
                .contains("structure-malformed");
        assertThat(AttestCaller.send(server, "activate", "x".repeat(70_000), Optional.empty())
                        .status())
                .isEqualTo(413);
        for (String path : List.of("nonce", "quote")) {
            assertThat(AttestCaller.send(server, path, "{}", Optional.empty()).status())
                    .isEqualTo(401);
        }
    }

    @Test
    void anUnknownDeviceIsToldNothingMore() throws Exception {
        assertRefused(activate(new TpmDevice(TestServer.device("nobody"))), "endorsement-key-not-registered");
    }
}
