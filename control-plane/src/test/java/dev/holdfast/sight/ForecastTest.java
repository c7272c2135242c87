package dev.holdfast.sight;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class ForecastTest {
    private static final Instant NOW = Instant.parse("2026-06-01T12:20:00Z");
    private static final Duration DAY = Duration.ofDays(1);
    private static final Duration QUARTER = Duration.ofDays(90);

    private static Forecast forecast(Map<Instant, Long> endings, long ended, long perHour) {
        return Forecast.of(endings, ended, new Forecast.Capacity(perHour, 0), NOW, QUARTER, DAY);
    }

    private static Instant hour(long fromNow) {
        return NOW.truncatedTo(ChronoUnit.HOURS).plus(Duration.ofHours(fromNow));
    }

    @Test
    void whatCanBeRenewedInTimeIsNoCliff() {
        Forecast f = forecast(Map.of(hour(100), 5_000L, hour(24 * 60), 100_000L), 0, 1_000);
        assertThat(f.cliff()).isEmpty();
        assertThat(f.answer().word()).isEqualTo(Forecast.Word.GOOD);
        assertThat(f.answer().sentence())
                .isEqualTo("Yes: 5000 certificates end within 30 days, which is 5 hours of renewing at 1000 an hour.");
        assertThat(f.devices()).isEqualTo(105_000);
    }

    @Test
    void moreThanCanBeServedBeforeTheyEndIsACliffAtTheFirstDayThatShowsIt() {
        Forecast f = forecast(Map.of(hour(24 * 10), 100_000L, hour(24 * 40), 100L), 0, 100);

        Forecast.Cliff cliff = f.cliff().orElseThrow();
        assertThat(cliff.at()).isEqualTo(NOW.plus(Duration.ofDays(10)).plus(DAY));
        assertThat(cliff.ending()).isEqualTo(100_000);
        assertThat(cliff.servable()).isEqualTo(11 * 24 * 100);
        assertThat(cliff.perHourNeeded()).isEqualTo(379); // 100,000 within 264 hours
        assertThat(f.answer().word()).isEqualTo(Forecast.Word.BAD);
        assertThat(f.answer().sentence())
                .startsWith("No: 100000 certificates end by 2026-06-12, and only 26400 can be renewed before; ")
                .contains("73600 devices would be locked out");
        assertThat(f.answer().advice()).contains("379");
        assertThat(forecast(Map.of(hour(24 * 10), 100_000L), 0, cliff.perHourNeeded())
                        .cliff())
                .as("the rate that is advised is enough")
                .isEmpty();
    }

    @Test
    void aCliffAfterTheMonthIsToWatch() {
        Forecast f = forecast(Map.of(hour(24 * 50), 1_000_000L), 0, 100);
        assertThat(f.answer().word()).isEqualTo(Forecast.Word.WATCH);
        assertThat(f.answer().sentence()).startsWith("Next month yes, but not for long");
    }

    @Test
    void devicesWhoseCertificateHasEndedAreSaid() {
        Forecast f = forecast(Map.of(hour(24 * 50), 10L), 3, 100);
        assertThat(f.answer().word()).isEqualTo(Forecast.Word.WATCH);
        assertThat(f.answer().sentence()).contains("3 devices can't already");
    }

    @Test
    void everyDeviceIsCountedOnceWhereverItsCertificateEnds() {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        for (int round = 0; round < 200; round++) {
            Map<Instant, Long> endings = new HashMap<>();
            for (int i = random.nextInt(50); i >= 0; i--) {
                endings.merge(hour(random.nextInt(24 * 400)), (long) random.nextInt(100_000), Long::sum);
            }
            Forecast f = forecast(endings, random.nextInt(100), 1 + random.nextInt(100_000));
            long inBuckets =
                    f.buckets().stream().mapToLong(Forecast.Bucket::ending).sum();
            assertThat(inBuckets + f.beyond() + f.ended()).as("seed " + seed).isEqualTo(f.devices());
            assertThat(f.cliff().isPresent())
                    .as("seed " + seed)
                    .isEqualTo(f.buckets().stream().anyMatch(b -> b.late() > 0));
        }
    }
}
