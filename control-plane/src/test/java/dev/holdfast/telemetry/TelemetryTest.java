package dev.holdfast.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.database.TestDatabase;
import dev.holdfast.journal.Journal;
import dev.holdfast.testkit.FakeClock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.jooq.exception.DataAccessException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class TelemetryTest {
    private static final Environment DEVELOPMENT = new Environment("development");
    private static final DeviceRef METER = DeviceRef.of("development", "m-1");
    private final FakeClock clock = new FakeClock(Instant.now());
    private final LinkedBlockingQueue<Observation> seen = new LinkedBlockingQueue<>();
    private Database database;
    private Journal journal;
    private Telemetry telemetry;

    @BeforeEach
    void open() {
        database = TestDatabase.fresh();
        journal = Journal.open(database, clock);
        telemetry = new Telemetry(database, journal, clock, Telemetry.Settings.defaults());
        telemetry.subscribe((_, observation) -> seen.add(observation));
        telemetry.start();
    }

    @AfterEach
    void close() {
        telemetry.close();
        journal.close();
        database.close();
    }

    private Observation.Measurement measurement(double value, Instant at) {
        return new Observation.Measurement(METER, clock.instant(), at, Map.of("kwh", value), false);
    }

    /// Stops the shards, so that everything taken is delivered and written.
    private void settle() {
        telemetry.close();
    }

    @Test
    void rollsMeasurementsUpByMinuteAndHour() {
        Instant hour = Instant.parse("2026-03-02T06:00:00Z");
        clock.set(hour.plus(Duration.ofHours(3)));
        for (int i = 0; i < 120; i++) {
            assertThat(telemetry.accept(measurement(i, hour.plusSeconds(i)))).isTrue();
        }
        settle();
        List<Series.Point> minutes =
                telemetry.series(METER, "kwh", hour, hour.plusSeconds(600), Series.Resolution.MINUTE, 100);
        assertThat(minutes)
                .containsExactly(
                        new Series.Point(hour, 60, 0, 59, 1770, 59, false),
                        new Series.Point(hour.plusSeconds(60), 60, 60, 119, 5370, 119, false));
        assertThat(telemetry.series(METER, "kwh", hour, hour.plusSeconds(3600), Series.Resolution.HOUR, 100))
                .containsExactly(new Series.Point(hour, 120, 0, 119, 7140, 119, false));
        assertThat(telemetry.latest(METER)).containsEntry("kwh", new Series.Latest(119, hour.plusSeconds(119)));
    }

    @Test
    void hoursAddUpToTheSameWhetherTheirMinutesCameBeforeOrAfterTheyWereAddedUp() throws Exception {
        RollupStore store = new RollupStore(database);
        Instant mark = database.read(sql -> sql.fetchSingle("select hours_until from measurement_rollup")
                .get(0, java.time.OffsetDateTime.class)
                .toInstant());
        Rollup early = new Rollup(new Rollup.Key(METER, "v", mark.getEpochSecond() + 60));
        early.add(1, mark.plusSeconds(60));
        store.append(List.of(early), false, Instant.EPOCH);
        assertThat(telemetry.series(METER, "v", mark, mark.plusSeconds(3600), Series.Resolution.HOUR, 9))
                .containsExactly(new Series.Point(mark, 1, 1, 1, 1, 1, false));
        store.addUpHours(mark.plusSeconds(3 * 3600));
        Rollup late = new Rollup(new Rollup.Key(METER, "v", mark.getEpochSecond() + 120));
        late.add(5, mark.plusSeconds(120));
        store.append(List.of(late), false, Instant.EPOCH);
        store.addUpHours(mark.plusSeconds(3 * 3600));
        assertThat(telemetry.series(METER, "v", mark, mark.plusSeconds(3600), Series.Resolution.HOUR, 9))
                .containsExactly(new Series.Point(mark, 2, 1, 5, 6, 5, false));
    }

    @Test
    void readingsOf1e308LeaveEverySumFinite() {
        Instant now = clock.instant();
        for (int i = 0; i < 10; i++) {
            telemetry.accept(measurement(1e308, now));
        }
        settle();
        Series.Point point = telemetry
                .series(METER, "kwh", now.minusSeconds(60), now.plusSeconds(60), Series.Resolution.MINUTE, 9)
                .getFirst();
        assertThat(point.max()).isEqualTo(1e308);
        assertThat(Double.isFinite(point.sum())).isTrue();
    }

    @Test
    void observationsOfADeviceComeInTheOrderInWhichTheyWereTaken() {
        for (int i = 0; i < 5_000; i++) {
            assertThat(telemetry.accept(measurement(i, clock.instant()))).isTrue();
        }
        settle();
        List<Double> values = seen.stream()
                .map(o -> ((Observation.Measurement) o).values().get("kwh"))
                .toList();
        assertThat(values)
                .containsExactlyElementsOf(
                        IntStream.range(0, 5_000).mapToObj(i -> (double) i).toList());
    }

    @Test
    void aFullShardDeclinesAndSaysWhenThereIsRoomAgain() throws Exception {
        CountDownLatch release = new CountDownLatch(1);
        var settings = new Telemetry.Settings(
                1,
                10,
                10,
                1000,
                Duration.ofSeconds(2),
                Telemetry.Settings.defaults().retention());
        try (Telemetry small = new Telemetry(database, journal, clock, settings)) {
            CountDownLatch busy = new CountDownLatch(1);
            small.subscribe((_, _) -> {
                busy.countDown();
                try {
                    release.await();
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            small.start();
            assertThat(small.accept(measurement(1, clock.instant()))).isTrue();
            assertThat(busy.await(10, TimeUnit.SECONDS)).isTrue();
            int taken = 0;
            while (small.accept(measurement(1, clock.instant()))) {
                assertThat(++taken).isLessThan(1000);
            }
            assertThat(small.accept(new Observation.Violation(
                            METER, clock.instant(), Observation.Violation.Rule.FORBIDDEN_TOPIC, "d/m-2/telemetry")))
                    .as("facts have a reserve")
                    .isTrue();
            CompletableFuture<Boolean> room = new CompletableFuture<>();
            small.whenRoom(METER, () -> room.complete(true));
            assertThat(room).isNotDone();
            release.countDown();
            assertThat(room.get(10, TimeUnit.SECONDS)).isTrue();
            assertThat(small.accept(measurement(1, clock.instant()))).isTrue();
            assertThat(small.fill().declined()).isEqualTo(1);
        }
    }

    @Test
    void aLogLineIsCommittedBeforeItIsAcknowledgedAndIsFoundByItsText() throws Exception {
        Map<Integer, List<LogQuery.Line>> found = new ConcurrentHashMap<>();
        List<CompletableFuture<Boolean>> answers = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            int n = i;
            CompletableFuture<Boolean> answer = new CompletableFuture<>();
            answers.add(answer);
            boolean taken = telemetry.keep(
                    new Observation.LogLine(
                            METER, clock.instant(), i % 2 == 0 ? "info" : "err", "Valve " + i + " stuck"),
                    new Acknowledgement() {
                        @Override
                        public void committed() {
                            if (n == 7) {
                                found.put(n, telemetry.logs(query("valve 7 s", Optional.empty(), 10)));
                            }
                            answer.complete(true);
                        }

                        @Override
                        public void failed(RuntimeException why) {
                            answer.completeExceptionally(why);
                        }
                    });
            assertThat(taken).isTrue();
        }
        for (CompletableFuture<Boolean> answer : answers) {
            assertThat(answer.get(20, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(found.get(7)).hasSize(1);
        assertThat(telemetry.logs(query("", Optional.empty(), 1000))).hasSize(300);
        LogQuery errors = new LogQuery(
                DEVELOPMENT,
                Optional.of(METER.id()),
                Optional.of(Severity.ERR),
                "",
                Instant.EPOCH,
                clock.instant().plusSeconds(1),
                Optional.empty(),
                1000);
        assertThat(telemetry.logs(errors)).hasSize(150);
    }

    private LogQuery query(String text, Optional<LogQuery.Cursor> before, int limit) {
        return new LogQuery(
                DEVELOPMENT,
                Optional.empty(),
                Optional.empty(),
                text,
                Instant.EPOCH,
                clock.instant().plusSeconds(1),
                before,
                limit);
    }

    @Test
    void aCursorLeadsThroughAllLinesOnceEvenWhereTheyHaveTheSameTime() throws Exception {
        for (int i = 0; i < 25; i++) {
            telemetry.accept(new Observation.LogLine(METER, clock.instant(), "info", "line " + i));
        }
        await(25);
        List<String> all = new ArrayList<>();
        Optional<LogQuery.Cursor> before = Optional.empty();
        List<LogQuery.Line> page;
        while (!(page = telemetry.logs(query("", before, 10))).isEmpty()) {
            page.forEach(line -> all.add(line.text()));
            before = Optional.of(LogQuery.Cursor.parse(page.getLast().cursor().text()));
        }
        assertThat(all).hasSize(25).doesNotHaveDuplicates();
        assertThatThrownBy(() -> LogQuery.Cursor.parse("1.x.2")).isInstanceOf(IllegalArgumentException.class);
    }

    private void await(int observations) throws InterruptedException {
        for (int i = 0; i < observations; i++) {
            assertThat(seen.poll(10, TimeUnit.SECONDS)).isNotNull();
        }
    }

    @Test
    void theLastReportedConfigurationStays() throws Exception {
        telemetry.accept(new Observation.ConfigurationReport(METER, clock.instant(), Map.of("interval", "60")));
        clock.advance(Duration.ofSeconds(1));
        telemetry.accept(new Observation.ConfigurationReport(METER, clock.instant(), Map.of("interval", "30")));
        telemetry.accept(new Observation.Event(METER, clock.instant(), "boot", Map.of("firmware", "1.0")));
        await(3);
        assertThat(telemetry.configuration(METER).orElseThrow().settings()).containsEntry("interval", "30");
        assertThat(telemetry.events(METER, clock.instant().plusSeconds(1), 10))
                .extracting(Observation.Event::name)
                .containsExactly("boot");
    }

    @Test
    void importedHistoryKeepsItsTrueTimesIsMarkedAndJournalled() throws Exception {
        Instant past = clock.instant().minus(Duration.ofDays(7)).truncatedTo(java.time.temporal.ChronoUnit.HOURS);
        List<Telemetry.Imported> points = IntStream.range(0, 96)
                .mapToObj(i -> new Telemetry.Imported(
                        METER, past.plus(Duration.ofMinutes(15L * (95 - i))), Map.of("kwh", (double) i)))
                .toList();
        telemetry.importHistory(DEVELOPMENT, points, "the week before", new Actor.Operator("ab12"));
        await(96);
        List<Series.Point> hours =
                telemetry.series(METER, "kwh", past, past.plus(Duration.ofDays(1)), Series.Resolution.HOUR, 100);
        assertThat(hours).hasSize(24).allMatch(Series.Point::imported).allMatch(p -> p.count() == 4);
        assertThat(hours.getFirst().at()).isEqualTo(past);
        assertThat(journal.read(0, 10).getLast().json().path("kind").asText()).isEqualTo("telemetry.history-imported");
    }

    @Test
    void anImportWithOneBadPointImportsNothing() {
        for (Telemetry.Imported bad : List.of(
                new Telemetry.Imported(METER, clock.instant().plusSeconds(60), Map.of("kwh", 1.0)),
                new Telemetry.Imported(METER, clock.instant(), Map.of("kwh", Double.NaN)),
                new Telemetry.Imported(METER, clock.instant(), Map.of("k\twh", 1.0)),
                new Telemetry.Imported(DeviceRef.of("production", "m-1"), clock.instant(), Map.of("kwh", 1.0)))) {
            List<Telemetry.Imported> points =
                    List.of(new Telemetry.Imported(METER, clock.instant(), Map.of("kwh", 1.0)), bad);
            assertThatThrownBy(() -> telemetry.importHistory(DEVELOPMENT, points, "test", new Actor.Operator("ab12")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("point 1");
        }
        assertThat(telemetry.latest(METER)).isEmpty();
    }

    @Test
    void slowWorkOfAnotherRoomHoldsUpNeitherTheFlushNorTheOthersAndNeverRunsTwiceAtATime() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        AtomicInteger slow = new AtomicInteger();
        CountDownLatch beats = new CountDownLatch(3);
        telemetry.alsoFlush("slow", () -> {
            slow.incrementAndGet();
            entered.countDown();
            try {
                released.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        telemetry.alsoFlush("failing", () -> {
            throw new IllegalStateException("as when the database is away");
        });
        telemetry.alsoFlush("quick", beats::countDown);
        assertThat(entered.await(20, TimeUnit.SECONDS)).isTrue();
        telemetry.accept(measurement(7, clock.instant()));
        assertThat(beats.await(20, TimeUnit.SECONDS)).isTrue();
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
        while (telemetry.latest(METER).isEmpty()) {
            assertThat(System.nanoTime()).as("the flush waits").isLessThan(deadline);
            Thread.sleep(20);
        }
        assertThat(slow).hasValue(1);
        released.countDown();
        telemetry.close();
        assertThat(slow.get()).as("and once more at the end").isGreaterThan(1);
    }

    @Test
    void whatIsPastItsRetentionGoes() throws Exception {
        telemetry.accept(measurement(1, clock.instant()));
        telemetry.accept(new Observation.LogLine(METER, clock.instant(), "info", "old"));
        await(2);
        settle();
        clock.advance(Duration.ofDays(500));
        new TelemetryUpkeep(
                        new RollupBuffer(1, 1),
                        new RollupStore(database),
                        new KeptStore(database),
                        Telemetry.Settings.defaults(),
                        clock)
                .expire();
        assertThat(telemetry.latest(METER)).isEmpty();
        assertThat(telemetry.logs(query("", Optional.empty(), 10))).isEmpty();
    }

    /// As after a connection that broke in the commit: the writer tries again, and can't know.
    @Test
    void aBatchThatIsTriedAgainAfterItWasCommittedIsThereOnce() {
        KeptStore store = new KeptStore(database);
        List<Observation.Kept> batch =
                List.of(new Observation.Event(METER, clock.instant().truncatedTo(ChronoUnit.MICROS), "once", Map.of()));
        KeptStore.Attempt attempt = new KeptStore.Attempt();
        store.append(batch, attempt);
        store.append(batch, attempt);
        assertThat(store.events(METER, clock.instant().plusSeconds(9), 10)).hasSize(1);
        store.append(batch, new KeptStore.Attempt());
        assertThat(store.events(METER, clock.instant().plusSeconds(9), 10))
                .as("what is sent twice is kept twice")
                .hasSize(2);
    }

    @Test
    void aBatchWhoseFirstTryWasRolledBackIsKeptByTheNext() {
        KeptStore store = new KeptStore(database);
        Observation.Event bad = new Observation.Event(METER, clock.instant(), "null \0 in a text", Map.of());
        Observation.Event good = new Observation.Event(METER, clock.instant(), "good", Map.of());
        KeptStore.Attempt attempt = new KeptStore.Attempt();
        assertThatThrownBy(() -> store.append(List.of(bad), attempt)).isInstanceOf(DataAccessException.class);
        store.append(List.of(good), attempt);
        assertThat(store.events(METER, clock.instant().plusSeconds(9), 10)).hasSize(1);
    }
}
