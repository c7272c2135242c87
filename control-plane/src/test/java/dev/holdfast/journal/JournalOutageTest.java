package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.testkit.FaultyLink;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The database goes away and comes back.
class JournalOutageTest {
    private Database.Address direct;
    private FaultyLink link;
    private Database database;
    private Journal journal;

    @BeforeEach
    void open() {
        direct = TestDatabase.freshAddress();
        link = TestDatabase.link(direct);
        database = Database.open(TestDatabase.through(link, direct), 4);
        journal = Journal.open(database, InstantSource.system());
    }

    @AfterEach
    void close() {
        journal.close();
        database.close();
        link.close();
    }

    private static void commit(Journal journal, int n) {
        journal.run(tx -> tx.record(new Entry(
                "test.happened",
                new Environment("development"),
                "test:" + n,
                new Actor.Holdfast("test"),
                "because",
                Map.of())));
    }

    @Test
    void commitsFailClearlyWhileItIsAwayAndSucceedWhenItIsBack() {
        commit(journal, 1);
        link.cut();
        assertThatThrownBy(() -> commit(journal, 2))
                .satisfies(error ->
                        assertThat(Database.isAway(error)).as("%s", error).isTrue());
        assertThatThrownBy(() -> database.read(sql -> sql.fetch("select 1")))
                .satisfies(error -> assertThat(Database.isAway(error)).isTrue());
        link.heal();
        commit(journal, 3);
        assertThat(journal.verify()).isEmpty();
        assertThat(journal.read(0, 10))
                .extracting(entry -> entry.json().path("subject").asText())
                .containsExactly("test:1", "test:3");
    }

    @Test
    void subscribersCatchUpWithWhatOtherNodesCommittedMeanwhile() throws Exception {
        List<Long> seen = new CopyOnWriteArrayList<>();
        journal.subscribe(entry -> seen.add(entry.number()));
        journal.startTail();
        commit(journal, 1);
        link.cut();
        try (Database other = Database.open(direct, 4);
                Journal second = Journal.open(other, InstantSource.system())) {
            for (int n = 2; n <= 20; n++) {
                commit(second, n);
            }
        }
        link.heal();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (seen.size() < 20 && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(20);
        }
        assertThat(seen).hasSize(20).isSorted().doesNotHaveDuplicates();
    }
}
