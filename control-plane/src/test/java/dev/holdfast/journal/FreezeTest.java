package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class FreezeTest {
    private static final String STATEMENT = "We know that what came after the backup is lost.";
    private static final Actor.Operator ANNA = new Actor.Operator("anna");
    private static final Actor.Operator BEN = new Actor.Operator("ben");
    private Database database;
    private Journal journal;
    private Freeze freeze;

    @BeforeEach
    void open() {
        database = TestDatabase.fresh();
        journal = Journal.open(database, InstantSource.system());
        freeze = Freeze.open(database, journal);
    }

    @AfterEach
    void close() {
        journal.close();
        database.close();
    }

    @Test
    void twoDifferentPeopleLiftItEachWithAStatement() {
        assertThat(freeze.acceptLoss(ANNA, STATEMENT)).isInstanceOf(Freeze.Acceptance.NotFrozen.class);
        freeze.freeze("restored from a backup", 7, new Actor.Holdfast("backup"));
        assertThat(freeze.isFrozen()).isTrue();
        assertThat(freeze.acceptLoss(ANNA, "ok")).isInstanceOf(Freeze.Acceptance.StatementTooShort.class);
        assertThat(freeze.acceptLoss(ANNA, STATEMENT)).isInstanceOf(Freeze.Acceptance.Noted.class);
        assertThat(freeze.acceptLoss(ANNA, STATEMENT)).isInstanceOf(Freeze.Acceptance.SamePersonTwice.class);
        assertThat(freeze.isFrozen()).isTrue();
        assertThat(freeze.acceptLoss(BEN, STATEMENT)).isEqualTo(new Freeze.Acceptance.Lifted(List.of("anna", "ben")));
        assertThat(freeze.isFrozen()).isFalse();
        assertThat(journal.about("installation:freeze", Long.MAX_VALUE, 10))
                .extracting(entry -> entry.json().path("kind").asText())
                .containsExactly("freeze.lifted", "freeze.loss-accepted", "freeze.loss-accepted", "freeze.frozen");
        assertThat(journal.verify()).isEmpty();
    }

    @Test
    void itSurvivesARestartAndOtherNodesHearOfIt() throws Exception {
        try (Database secondDatabase = Database.open(database.address(), 4);
                Journal second = Journal.open(secondDatabase, InstantSource.system())) {
            Freeze other = Freeze.open(secondDatabase, second);
            second.startTail();
            freeze.freeze("restored from a backup", 7, new Actor.Holdfast("backup"));
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
            while (!other.isFrozen() && System.nanoTime() < deadline) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
            assertThat(other.isFrozen()).isTrue();
        }
        assertThat(Freeze.open(database, journal).state())
                .hasValueSatisfying(state -> assertThat(state.backupNumber()).isEqualTo(7));
    }

    @Test
    void mergingAppliesEveryPendingEntryOnceAndLifts() {
        freeze.freeze("restored from a backup", 3, new Actor.Holdfast("backup"));
        assertThat(freeze.merge(List.of())).isZero();
        assertThat(freeze.isFrozen()).isTrue();
        Recorded one = Recorded.next(4, java.time.Instant.EPOCH, entry("device.suspended"), Recorded.GENESIS);
        Recorded two = Recorded.next(5, java.time.Instant.EPOCH, entry("device.active"), one.chainHash());
        database.run(sql -> {
            FreezeStore.addPending(sql, List.of(one, two));
            FreezeStore.mergeReady(sql);
        });
        Freeze restarted = Freeze.open(database, journal);
        List<Long> seen = new ArrayList<>();
        int applied = restarted.merge(List.of((tx, entry) -> {
            seen.add(entry.number());
            return entry.content().contains("device.suspended");
        }));
        assertThat(applied).isEqualTo(1);
        assertThat(seen).containsExactly(4L, 5L);
        assertThat(restarted.isFrozen()).isFalse();
        assertThat(restarted.merge(List.of())).isZero();
    }

    private static Entry entry(String kind) {
        return new Entry(
                kind, new Environment("development"), "device:m-1", new Actor.Holdfast("test"), "because", Map.of());
    }
}
