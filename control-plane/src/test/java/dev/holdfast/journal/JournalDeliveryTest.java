package dev.holdfast.journal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class JournalDeliveryTest {
    private static void commit(Journal journal, String what) {
        journal.run(tx -> tx.record(new Entry(
                "test.done",
                new Environment("development"),
                "test:" + what,
                new Actor.Holdfast("test"),
                what,
                Map.of())));
    }

    @Test
    void whatWasCommittedHereIsHeardByEverySubscriberBeforeTheWaitEnds() throws Exception {
        try (Database database = TestDatabase.fresh();
                Journal journal = Journal.open(database, InstantSource.system())) {
            List<Long> heard = new CopyOnWriteArrayList<>();
            journal.subscribe(entry -> heard.add(entry.number()));
            journal.startTail();
            for (int i = 1; i <= 50; i++) {
                commit(journal, "n" + i);
                assertThat(journal.awaitDelivered(Duration.ofSeconds(20))).isTrue();
                assertThat(heard).hasSize(i);
            }
        }
    }

    @Test
    void entriesOfTwoNodesReachBothInTheChainsOrderEachOnce() throws Exception {
        try (Database one = TestDatabase.fresh();
                Database two = Database.open(one.address(), 4);
                Journal first = Journal.open(one, InstantSource.system());
                Journal second = Journal.open(two, InstantSource.system())) {
            List<Long> atFirst = new CopyOnWriteArrayList<>();
            List<Long> atSecond = new CopyOnWriteArrayList<>();
            first.subscribe(entry -> atFirst.add(entry.number()));
            second.subscribe(entry -> atSecond.add(entry.number()));
            first.startTail();
            second.startTail();
            List<Thread> writers = IntStream.range(0, 8)
                    .mapToObj(n -> Thread.ofVirtual().start(() -> {
                        for (int i = 0; i < 25; i++) {
                            commit(n % 2 == 0 ? first : second, n + "-" + i);
                        }
                    }))
                    .toList();
            for (Thread writer : writers) {
                writer.join();
            }
            List<Long> all = LongStream.rangeClosed(1, 200).boxed().toList();
            long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
            while ((atFirst.size() < 200 || atSecond.size() < 200) && System.nanoTime() < deadline) {
                Thread.sleep(10);
            }
            assertThat(atFirst).isEqualTo(all);
            assertThat(atSecond).isEqualTo(all);
        }
    }

    @Test
    void whoMustObeyGetsAnEntryAgainUntilItCanTakeItAndNothingBeforeThat() throws Exception {
        try (Database database = TestDatabase.fresh();
                Journal journal = Journal.open(database, InstantSource.system())) {
            List<String> heard = new CopyOnWriteArrayList<>();
            journal.subscribe(entry -> {
                heard.add("other " + entry.number());
                throw new IllegalStateException("a bug of one that only wants to know");
            });
            int[] failures = {2};
            journal.obey(entry -> {
                if (entry.number() == 1 && failures[0]-- > 0) {
                    throw new IllegalStateException("can't take it yet");
                }
                heard.add("strict " + entry.number());
            });
            journal.startTail();
            commit(journal, "first");
            commit(journal, "second");
            assertThat(journal.awaitDelivered(Duration.ofSeconds(20))).isTrue();
            assertThat(heard).containsExactly("other 1", "strict 1", "other 2", "strict 2");
        }
    }
}
