package dev.holdfast.detection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.detection.Finding.Severity;
import dev.holdfast.journal.Journal;
import dev.holdfast.telemetry.Provenance;
import dev.holdfast.testkit.FaultyLink;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Findings while the database is away.
class FindingOutboxTest {
    private static final Instant AT = Instant.parse("2026-03-02T00:00:00Z");

    private static Finding finding(int number, Severity severity) {
        return new Finding(
                DeviceRef.of("development", "m-" + number),
                Finding.Cause.PORT_SCAN,
                severity,
                Provenance.OBSERVED,
                1,
                AT,
                AT,
                "quiet",
                "noise");
    }

    @Test
    void theyWaitBoundedTheLeastSevereGoFirstAndTheJournalSaysHowManyWent() {
        Database.Address direct = TestDatabase.freshAddress();
        try (FaultyLink link = TestDatabase.link(direct);
                Database database = Database.open(TestDatabase.through(link, direct), 4);
                Journal journal = Journal.open(database, InstantSource.system())) {
            FindingOutbox outbox = new FindingOutbox(journal, 10);
            outbox.add(List.of(finding(0, Severity.LOW)));
            assertThat(outbox.size()).isZero();

            link.cut();
            outbox.add(List.of(finding(1, Severity.CRITICAL)));
            assertThat(outbox.isBehind()).isTrue();
            for (int i = 2; i < 10_000; i++) {
                // Thousands in a moment: none of these tries the database, or each would wait for it.
                outbox.add(List.of(finding(i, i % 2_500 == 0 ? Severity.HIGH : Severity.LOW)));
            }
            assertThat(outbox.size()).isEqualTo(10);

            link.heal();
            while (outbox.isBehind()) {
                outbox.save();
            }
            List<Severity> stored =
                    database
                            .read(sql -> DetectionStore.ofAll(sql, new Environment("development"), 100_000, 100))
                            .stream()
                            .map(each -> each.finding().severity())
                            .toList();
            assertThat(stored).hasSize(11).contains(Severity.CRITICAL);
            assertThat(stored).filteredOn(Severity.HIGH::equals).hasSize(3);
            assertThat(journal.read(0, 100))
                    .filteredOn(entry -> entry.json().path("kind").asText().equals("finding.lost"))
                    .singleElement()
                    .satisfies(entry -> assertThat(
                                    entry.json().path("body").path("count").asInt())
                            .isEqualTo(9_989));
        }
    }
}
