package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class JournalTest {
    private Database database;
    private Journal journal;

    @BeforeEach
    void open() {
        database = TestDatabase.fresh();
        journal = Journal.open(database, InstantSource.system());
    }

    @AfterEach
    void close() {
        journal.close();
        database.close();
    }

    private static Entry entry(int n) {
        return new Entry(
                "test.happened",
                new Environment("development"),
                "test:" + n,
                new Actor.Holdfast("test"),
                "because",
                Map.of("n", n, "text", "ünï\"\n"));
    }

    private static void commit(Journal journal, int n) {
        journal.run(tx -> tx.record(entry(n)));
    }

    @Test
    void chainsConcurrentChangesOfTwoNodesIntoOneChainThatVerifies() throws Exception {
        try (Database secondDatabase = Database.open(database.address(), 4);
                Journal second = Journal.open(secondDatabase, InstantSource.system());
                var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 400; i++) {
                int n = i;
                all.add(callers.submit(() -> commit(n % 2 == 0 ? journal : second, n)));
            }
            for (Future<?> one : all) {
                one.get(30, TimeUnit.SECONDS);
            }
        }
        assertThat(journal.head().number()).isEqualTo(400);
        assertThat(journal.read(0, 1000))
                .extracting(Recorded::number)
                .containsExactlyElementsOf(
                        LongStream.rangeClosed(1, 400).boxed().toList());
        assertThat(journal.verify()).isEmpty();
    }

    @Test
    void anAlteredEntryIsFound() {
        for (int i = 0; i < 10; i++) {
            commit(journal, i);
        }
        database.run(sql -> sql.execute(
                "update journal_entry set content = replace(content, 'because', 'whatever') where number = 4"));
        assertThat(journal.verify()).hasValueSatisfying(fault -> {
            assertThat(fault.number()).isEqualTo(4);
            assertThat(fault.what()).contains("altered");
        });
    }

    @Test
    void aMissingEntryIsFound() {
        for (int i = 0; i < 10; i++) {
            commit(journal, i);
        }
        database.run(sql -> sql.execute("delete from journal_entry where number = 7"));
        assertThat(journal.verify())
                .hasValueSatisfying(fault -> assertThat(fault.number()).isEqualTo(7));
    }

    @Test
    void aCutOffTailIsFoundByTheHead() {
        for (int i = 0; i < 10; i++) {
            commit(journal, i);
        }
        database.run(sql -> sql.execute("delete from journal_entry where number > 8"));
        assertThat(journal.verify())
                .hasValueSatisfying(fault -> assertThat(fault.number()).isEqualTo(9));
    }

    @Test
    void twoEntriesExchangedAreFound() {
        for (int i = 0; i < 10; i++) {
            commit(journal, i);
        }
        database.run(sql -> {
            sql.execute("update journal_entry set number = -3 where number = 3");
            sql.execute("update journal_entry set number = 3 where number = 5");
            sql.execute("update journal_entry set number = 5 where number = -3");
        });
        assertThat(journal.verify())
                .hasValueSatisfying(fault -> assertThat(fault.number()).isEqualTo(3));
    }

    @Test
    void aFailingChangeLeavesNothingAndSpoilsNoOther() throws Exception {
        database.run(sql -> sql.execute("create table probe(n int primary key)"));
        try (var callers = Executors.newVirtualThreadPerTaskExecutor()) {
            List<Future<?>> all = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                int n = i;
                all.add(callers.submit(() -> journal.run(tx -> {
                    tx.sql().execute("insert into probe values (?)", n);
                    tx.record(entry(n));
                    if (n % 10 == 3) {
                        throw new IllegalStateException("refused " + n);
                    }
                })));
            }
            for (int i = 0; i < 50; i++) {
                Future<?> one = all.get(i);
                if (i % 10 == 3) {
                    assertThatThrownBy(() -> one.get(30, TimeUnit.SECONDS)).hasMessageContaining("refused");
                } else {
                    one.get(30, TimeUnit.SECONDS);
                }
            }
        }
        assertThat(database.<Integer>read(
                        sql -> sql.fetchSingle("select count(*) from probe").get(0, Integer.class)))
                .isEqualTo(45);
        assertThat(journal.head().number()).isEqualTo(45);
        assertThat(journal.verify()).isEmpty();
    }

    @Test
    void everySubscriberSeesEveryEntryOnceInOrderAlsoThoseOfAnotherNode() throws Exception {
        List<Long> seen = new CopyOnWriteArrayList<>();
        journal.subscribe(recorded -> seen.add(recorded.number()));
        journal.startTail();
        try (Database secondDatabase = Database.open(database.address(), 4);
                Journal second = Journal.open(secondDatabase, InstantSource.system())) {
            for (int i = 0; i < 100; i++) {
                commit(i % 3 == 0 ? second : journal, i);
            }
        }
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (seen.size() < 100 && System.nanoTime() < deadline) {
            TimeUnit.MILLISECONDS.sleep(10);
        }
        assertThat(seen)
                .containsExactlyElementsOf(
                        LongStream.rangeClosed(1, 100).boxed().toList());
    }
}
