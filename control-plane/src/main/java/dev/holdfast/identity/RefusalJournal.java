package dev.holdfast.identity;

import dev.holdfast.core.Actor;
import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.journal.Entry;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// Which refusals of certificates become journal entries: enough that an operator sees who was refused and why,
/// too few for a stranger to fill the journal with.
///
/// One entry for each device and reason an hour; what follows within the hour is counted, and told by the next.
/// Names that are no device of ours share one line of record. Over all, an entry every ten seconds in the long
/// run, with two budgets: what was asked with a token, which proves nothing, can't use up the budget of those
/// who have proven a key.
final class RefusalJournal {
    private static final Duration AGAIN = Duration.ofHours(1);
    private static final long EACH = Duration.ofSeconds(10).toNanos();
    private static final long BURST = 60 * EACH;
    private static final int REMEMBERED = 10_000;
    private static final int LONGEST_DETAIL = 200;

    private final Environment environment;
    private final Budget unproven = new Budget();
    private final Budget proven = new Budget();
    private final Map<String, Window> windows = new LinkedHashMap<>(64, 0.75f, true) {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Window> eldest) {
            return size() > REMEMBERED;
        }
    };

    RefusalJournal(Environment environment) {
        this.environment = environment;
    }

    private static final class Window {
        long until;
        long counted;
    }

    /// How far ahead of its steady rate it has been spent.
    private static final class Budget {
        private long spentUntil = Long.MIN_VALUE;
        private long refused;

        boolean take(long now) {
            long from = spentUntil == Long.MIN_VALUE || spentUntil - now < 0 ? now : spentUntil;
            if (from - now > BURST - EACH) {
                refused++;
                return false;
            }
            spentUntil = from + EACH;
            return true;
        }

        long andForget() {
            long before = refused;
            refused = 0;
            return before;
        }
    }

    /// @param named whom the credential names; empty where that is no device of ours
    /// @param now of [System#nanoTime]
    /// @return what to record of this refusal, if anything
    synchronized Optional<Entry> entry(
            Credential credential, Optional<DeviceRef> named, EnrolmentOutcome.Refused refused, long now) {
        String subject = named.map(d -> "device:" + d.id()).orElse("enrolment:unknown");
        Window window = windows.computeIfAbsent(subject + " " + refused.reason(), _ -> {
            Window fresh = new Window();
            fresh.until = now;
            return fresh;
        });
        if (window.until - now > 0) {
            window.counted++;
            return Optional.empty();
        }
        Budget budget = proves(credential) ? proven : unproven;
        if (!budget.take(now)) {
            window.counted++;
            return Optional.empty();
        }
        Map<String, Object> body =
                new TreeMap<>(Map.of("refusal", refused.reason().text(), "credential", credential.text()));
        if (window.counted > 0) {
            body.put("countedSinceTheLastEntry", window.counted);
        }
        long dropped = budget.andForget();
        if (dropped > 0) {
            body.put("refusalsNotRecorded", dropped);
        }
        window.until = now + AGAIN.toNanos();
        window.counted = 0;
        return Optional.of(new Entry(
                "enrolment.refused",
                named.map(DeviceRef::environment).orElse(environment),
                subject,
                new Actor.Holdfast("identity"),
                printable(refused.detail()),
                body));
    }

    /// Whether the protocol has seen a key at work before it came here.
    private static boolean proves(Credential credential) {
        return switch (credential) {
            case Credential.Token _, Credential.SharedSecret _, Credential.Tpm _ -> false;
            case Credential.Account _, Credential.Manufacturer _, Credential.Claim _, Credential.Operational _ -> true;
        };
    }

    /// What a request said may be quoted in the detail.
    private static String printable(String detail) {
        String plain = detail.replaceAll("[^ -~]", "?");
        return plain.length() > LONGEST_DETAIL ? plain.substring(0, LONGEST_DETAIL) : plain;
    }
}
