package dev.holdfast.identity;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceId;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.est.EstCaller;
import dev.holdfast.journal.Entry;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RefusalJournalTest {
    private static final Environment ENVIRONMENT = new Environment("development");
    private final RefusalJournal journal = new RefusalJournal(ENVIRONMENT);
    private long now = 7_000_000_000_000L;

    private Optional<Entry> guess(String device) {
        return journal.entry(
                new Credential.Token(DeviceId.parse(device).orElseThrow(), "x"),
                Optional.of(DeviceRef.of("development", device)),
                new EnrolmentOutcome.Refused(EnrolmentRefusal.TOKEN_WRONG, "no such token"),
                now);
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    @Test
    void oneEntryAnHourForDeviceAndReasonAndTheNextTellsHowManyThereWere() {
        assertThat(guess("m-1")).isPresent();
        for (int i = 0; i < 50; i++) {
            pass(Duration.ofMinutes(1));
            guess("m-1");
        }
        pass(Duration.ofMinutes(11));
        assertThat(guess("m-1"))
                .hasValueSatisfying(entry ->
                        assertThat(entry.body().get("countedSinceTheLastEntry")).isEqualTo(50L));
    }

    @Test
    void aDayOfGuessingAtAMillionNamesIsBoundedAndHidesNobodyWhoHasProvenAKey() {
        int entries = 0;
        for (int i = 0; i < 1_000_000; i++) {
            pass(Duration.ofNanos(86_400_000L)); // a million in a day
            entries += guess("m-" + i).isPresent() ? 1 : 0;
        }
        assertThat(entries).isLessThanOrEqualTo(60 + 8_640);
        assertThat(journal.entry(
                        new Credential.Operational(certificate()),
                        Optional.of(DeviceRef.of("development", "m-5")),
                        new EnrolmentOutcome.Refused(EnrolmentRefusal.KEY_ALREADY_BOUND_TO_ANOTHER_DEVICE, "taken"),
                        now))
                .isPresent();
        pass(Duration.ofMinutes(2));
        assertThat(guess("fresh"))
                .hasValueSatisfying(entry ->
                        assertThat(entry.body().get("refusalsNotRecorded")).isNotNull());
    }

    @Test
    void whatARequestSaidIsMadePlain() {
        Optional<Entry> entry = journal.entry(
                new Credential.Token(DeviceId.parse("m-1").orElseThrow(), "x"),
                Optional.empty(),
                new EnrolmentOutcome.Refused(
                        EnrolmentRefusal.MALFORMED_REQUEST, "bad \u001b[31m\r\n\u202e<b>" + "x".repeat(500)),
                now);
        assertThat(entry).hasValueSatisfying(e -> {
            assertThat(e.reason()).matches("[ -~]{1,200}");
            assertThat(e.subject()).isEqualTo("enrolment:unknown");
        });
    }

    private static X509Certificate certificate() {
        return EstCaller.Maker.named("CN=m-5").certificate();
    }
}
