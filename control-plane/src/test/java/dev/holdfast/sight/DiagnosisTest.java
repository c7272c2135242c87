package dev.holdfast.sight;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.IssuedCertificate;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.identity.Admission;
import dev.holdfast.identity.EnrolmentRefusal;
import dev.holdfast.inventory.Lifecycle;
import dev.holdfast.tls.HandshakeFailure;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class DiagnosisTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:00:00Z");
    private final List<IssuedCertificate> certificates = new ArrayList<>();
    private final List<Attempt> attempts = new ArrayList<>();
    private boolean connected;
    private Lifecycle state = Lifecycle.ACTIVE;

    private Diagnosis diagnose() {
        return Diagnosis.of(new Circumstances(
                "m-1",
                state,
                "",
                connected,
                Optional.empty(),
                certificates,
                attempts,
                Duration.ofDays(30),
                Duration.ofDays(60),
                Optional.empty(),
                false,
                false,
                NOW));
    }

    private void certificate(CertificateState stateOf, Duration endsIn) {
        certificates.add(new IssuedCertificate(
                new Serial("ab12"),
                "device-production-1",
                "device",
                Optional.of(DeviceRef.of("production", "m-1")),
                "m-1",
                "key",
                stateOf,
                false,
                NOW.minus(Duration.ofDays(100)),
                NOW.plus(endsIn),
                "token",
                Optional.of(NOW.minus(Duration.ofDays(100))),
                Optional.empty(),
                stateOf == CertificateState.REVOKED ? Optional.of(NOW.minus(Duration.ofDays(1))) : Optional.empty(),
                stateOf == CertificateState.REVOKED ? Optional.of(RevocationReason.KEY_COMPROMISE) : Optional.empty(),
                List.of(),
                Optional.of(NOW.plus(endsIn).minus(Duration.ofDays(40))),
                Optional.empty()));
    }

    private void attempt(Attempt.Stage stage, String cause, String detail, boolean sure) {
        attempts.add(new Attempt(NOW.minusSeconds(attempts.size()), stage, cause, detail, "203.0.113.9:4000", sure, 1));
    }

    @Test
    void aDeviceThatNeverEnrolledIsToldHow() {
        state = Lifecycle.REGISTERED;
        Diagnosis d = diagnose();
        assertThat(d.verdict()).isEqualTo(Diagnosis.Verdict.BARRED);
        assertThat(d.sentence()).isEqualTo("m-1 can't come in: it is registered and has never had a certificate.");
        assertThat(d.reasons().getFirst().fix()).contains("holdfast device token m-1");
    }

    @Test
    void anExpiredCertificateSaysWhatIsStillPossible() {
        certificate(CertificateState.CURRENT, Duration.ofDays(-10));
        assertThat(diagnose().sentence()).contains("may still renew by itself until 2026-06-21");
        certificates.clear();
        certificate(CertificateState.CURRENT, Duration.ofDays(-50));
        assertThat(diagnose().sentence()).contains("when a person approves; with a TPM it may attest");
        certificates.clear();
        certificate(CertificateState.CURRENT, Duration.ofDays(-91));
        assertThat(diagnose().reasons().getFirst().fix()).contains("enrol it again");
    }

    @Test
    void aRevokedCertificateBars() {
        certificate(CertificateState.REVOKED, Duration.ofDays(100));
        assertThat(diagnose().sentence()).contains("is revoked since 2026-05-31", "key-compromise");
    }

    @Test
    void aRenewalThatIsOverdueIsWorthKnowing() {
        certificate(CertificateState.CURRENT, Duration.ofDays(30));
        connected = true;
        Diagnosis d = diagnose();
        assertThat(d.verdict()).isEqualTo(Diagnosis.Verdict.CONNECTED);
        assertThat(d.reasons().getFirst().cause()).isEqualTo("RENEWAL_OVERDUE");
    }

    @Test
    void everySectionThatIsReferredToIsInTheDocs() throws Exception {
        String page = Files.readString(Path.of("../docs/certificates.md"));
        Set<String> sections = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE)
                .matcher(page)
                .results()
                .map(heading ->
                        heading.group(1).toLowerCase(java.util.Locale.ROOT).replace(' ', '-'))
                .collect(Collectors.toSet());
        for (String source : List.of("Explanation", "OnRecord")) {
            String code = Files.readString(Path.of("src/main/java/dev/holdfast/sight/" + source + ".java"));
            Pattern.compile("\"([a-z]+(-[a-z]+)*)\"\\)")
                    .matcher(code)
                    .results()
                    .map(section -> section.group(1))
                    .filter(section -> !section.equals("unspecified"))
                    .forEach(section -> assertThat(sections).as(source).contains(section));
        }
    }

    @Test
    void attemptsOfOneCauseAreOneReason() {
        certificate(CertificateState.CURRENT, Duration.ofDays(100));
        for (int i = 0; i < 3; i++) {
            attempt(Attempt.Stage.HANDSHAKE, "ISSUER_UNKNOWN", "its issuer is CN=other", true);
        }
        Diagnosis d = diagnose();
        assertThat(d.verdict()).isEqualTo(Diagnosis.Verdict.REFUSED);
        assertThat(d.reasons()).singleElement().satisfies(r -> {
            assertThat(r.times()).isEqualTo(3);
            assertThat(r.lastAt()).contains(NOW);
            assertThat(r.remoteAddress()).contains("203.0.113.9:4000");
        });
    }

    @Test
    void anAlertAboutTimeIsTakenForAWrongClock() {
        certificate(CertificateState.CURRENT, Duration.ofDays(100));
        attempt(
                Attempt.Stage.HANDSHAKE,
                "CLIENT_REJECTED_OUR_CERTIFICATE",
                "error:100003fd:SSL routines:OPENSSL_internal:SSLV3_ALERT_CERTIFICATE_EXPIRED",
                false);
        Diagnosis d = diagnose();
        assertThat(d.reasons().getFirst().sentence()).contains("clock is probably wrong");
        assertThat(d.verdict())
                .as("the address alone does not say that it was this device")
                .isEqualTo(Diagnosis.Verdict.NOT_TRIED);
    }

    @Test
    void aSupersededCertificateIsToldFromACopy() {
        certificate(CertificateState.CURRENT, Duration.ofDays(100));
        attempt(Attempt.Stage.ADMISSION, "CERTIFICATE_SUPERSEDED", "serial ab11", true);
        assertThat(diagnose().reasons().getFirst().fix()).contains("old image", "copy of its old key");
    }

    @Test
    void whoDoesNotTryIsSaidSo() {
        certificate(CertificateState.CURRENT, Duration.ofDays(100));
        assertThat(diagnose().verdict()).isEqualTo(Diagnosis.Verdict.NOT_TRIED);
        connected = true;
        assertThat(diagnose().sentence()).isEqualTo("m-1 is connected, and nothing was refused lately.");
    }

    @Test
    void everyCauseThatThereIsHasACauseAFixAndAPage() {
        certificate(CertificateState.CURRENT, Duration.ofDays(100));
        for (HandshakeFailure.Cause cause : HandshakeFailure.Cause.values()) {
            attempt(Attempt.Stage.HANDSHAKE, cause.name(), "detail", true);
        }
        for (Admission.Refusal refusal : Admission.Refusal.values()) {
            attempt(Attempt.Stage.ADMISSION, refusal.name(), "detail", true);
        }
        for (EnrolmentRefusal refusal : EnrolmentRefusal.values()) {
            attempt(Attempt.Stage.ENROLMENT, refusal.name(), "detail", true);
        }
        for (Attempt attempt : List.copyOf(attempts)) {
            attempts.clear();
            attempts.add(attempt);
            Reason reason = diagnose().reasons().getFirst();
            assertThat(reason.sentence()).as(attempt.cause()).endsWith(".").hasSizeGreaterThan(20);
            assertThat(reason.fix()).as(attempt.cause()).isNotBlank();
            assertThat(reason.readOn()).startsWith("docs/certificates.md#");
            if (attempt.stage() == Attempt.Stage.HANDSHAKE) {
                assertThat(reason.sentence()).as("has words of its own").doesNotContain("was refused (");
            }
        }
    }
}
