package dev.holdfast.sight;

import dev.holdfast.core.Spoken;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// When the fleet's certificates end, held against the renewals that can be served until then. Pure.
///
/// The test is that of a queue with deadlines: renewals may begin now, and those that end first are served
/// first. If at some time more certificates will have ended than can have been renewed by then, no order of
/// renewing saves them all, and that time is the cliff.
///
/// @param devices that have a certificate which counts
/// @param ended of these, whose certificate has ended already: they can't come in
/// @param beyond of these, whose certificate ends after the last bucket
public record Forecast(
        Instant at,
        Capacity capacity,
        long devices,
        long ended,
        long beyond,
        List<Bucket> buckets,
        Optional<Cliff> cliff,
        Answer answer) {

    /// @param perHour renewals that this installation means to serve
    /// @param measuredPerHour the most that were issued in an hour of the last 30 days; 0 when there were none
    public record Capacity(long perHour, long measuredPerHour) {}

    /// @param ending certificates whose end is in it, a device's last one only
    /// @param servable renewals that can be served within it
    /// @param late of those that end up to here, how many can't have been renewed by then
    public record Bucket(Instant from, Instant to, long ending, long servable, long late) {}

    /// @param at up to when more end than can be renewed
    /// @param ending how many end until then
    /// @param servable how many renewals can be served until then
    /// @param perHourNeeded with which there would be no cliff
    public record Cliff(Instant at, long ending, long servable, long perHourNeeded) {
        public long lockedOut() {
            return ending - servable;
        }
    }

    /// Whether every device can still prove who it is next month: the word, the sentence, and what to do.
    public record Answer(Word word, String sentence, String advice) {}

    public enum Word {
        GOOD,
        WATCH,
        BAD;

        public String text() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    private static final Duration MONTH = Duration.ofDays(30);

    public Forecast {
        buckets = List.copyOf(buckets);
    }

    /// @param endings how many devices' last certificates end in each hour, by its beginning
    /// @param step width of a bucket
    public static Forecast of(
            Map<Instant, Long> endings, long ended, Capacity capacity, Instant now, Duration horizon, Duration step) {
        List<Bucket> buckets = new ArrayList<>();
        Instant last = now.plus(horizon);
        long before = 0;
        Optional<Cliff> cliff = Optional.empty();
        for (Instant from = now; from.isBefore(last); from = from.plus(step)) {
            Instant to = from.plus(step);
            long ending = between(endings, from, to);
            before += ending;
            long servable = served(capacity, now, to);
            long late = Math.max(0, before - servable);
            buckets.add(new Bucket(from, to, ending, served(capacity, from, to), late));
            if (late > 0 && cliff.isEmpty()) {
                cliff = Optional.of(new Cliff(to, before, servable, 0));
            }
        }
        long needed = needed(buckets, now);
        cliff = cliff.map(c -> new Cliff(c.at(), c.ending(), c.servable(), needed));
        long within = before;
        long devices =
                ended + endings.values().stream().mapToLong(Long::longValue).sum();
        return new Forecast(
                now,
                capacity,
                devices,
                ended,
                devices - ended - within,
                buckets,
                cliff,
                answer(devices, ended, between(endings, now, now.plus(MONTH)), capacity, cliff, now));
    }

    private static long between(Map<Instant, Long> endings, Instant from, Instant to) {
        long sum = 0;
        for (Map.Entry<Instant, Long> hour : endings.entrySet()) {
            if (!hour.getKey().isBefore(from.truncatedTo(ChronoUnit.HOURS))
                    && hour.getKey().isBefore(to.truncatedTo(ChronoUnit.HOURS))) {
                sum += hour.getValue();
            }
        }
        return sum;
    }

    private static long served(Capacity capacity, Instant from, Instant to) {
        return capacity.perHour() * Duration.between(from, to).toMinutes() / 60;
    }

    /// The least rate with which each bucket's certificates are renewed in time.
    private static long needed(List<Bucket> buckets, Instant now) {
        long needed = 0;
        long before = 0;
        for (Bucket bucket : buckets) {
            before += bucket.ending();
            long minutes = Math.max(1, Duration.between(now, bucket.to()).toMinutes());
            needed = Math.max(needed, (before * 60 + minutes - 1) / minutes);
        }
        return needed;
    }

    private static Answer answer(
            long devices, long ended, long month, Capacity capacity, Optional<Cliff> cliff, Instant now) {
        if (devices == 0) {
            return new Answer(Word.GOOD, "No device has a certificate yet.", "");
        }
        String locked = ended == 0 ? "" : " " + devices(ended) + " can't already: the certificate has ended.";
        if (cliff.isPresent()) {
            Cliff c = cliff.get();
            boolean soon = !c.at().isAfter(now.plus(MONTH));
            return new Answer(
                    soon ? Word.BAD : Word.WATCH,
                    (soon ? "No: " : "Next month yes, but not for long: ")
                            + c.ending() + " certificates end by "
                            + c.at().atOffset(ZoneOffset.UTC).toLocalDate() + ", and only " + c.servable()
                            + " can be renewed before; " + devices(c.lockedOut()) + " would be locked out." + locked,
                    "Begin to renew now, those that end first before the others (holdfast cert rotate), and raise"
                            + " certificates.renewalsPerHour to at least " + c.perHourNeeded() + ".");
        }
        if (ended > 0) {
            return new Answer(
                    Word.WATCH,
                    "All but " + ended + ":" + locked + " The others can be renewed in time.",
                    "Ask why for each: holdfast cert list --status expired, then holdfast cert why DEVICE.");
        }
        long minutes = capacity.perHour() == 0 ? 0 : (month * 60 + capacity.perHour() - 1) / capacity.perHour();
        return new Answer(
                Word.GOOD,
                month == 0
                        ? "Yes: no certificate ends within 30 days."
                        : "Yes: " + month + (month == 1 ? " certificate ends" : " certificates end")
                                + " within 30 days, which is "
                                + Spoken.duration(Duration.ofMinutes(Math.max(1, minutes)))
                                + " of renewing at " + capacity.perHour() + " an hour.",
                "");
    }

    private static String devices(long count) {
        return count == 1 ? "1 device" : count + " devices";
    }
}
