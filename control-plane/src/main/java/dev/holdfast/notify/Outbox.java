package dev.holdfast.notify;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Actor;
import dev.holdfast.core.Environment;
import dev.holdfast.database.Database;
import dev.holdfast.journal.Entry;
import dev.holdfast.journal.Journal;
import dev.holdfast.journal.Recorded;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Moves what the journal says into the outbox, and the outbox to its receivers.
///
/// The cursor and the outbox's new rows move in one transaction, so an entry is told to each channel once it is
/// in the outbox and not before; delivery is at least once, under the same message id. Each channel has a thread
/// of its own while it has something to deliver, on one node at a time: a slow receiver delays nobody else. When
/// a receiver is away, its messages wait in their order, over restarts and nodes; when it rejects one, only that
/// one is tried again later.
final class Outbox implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Outbox.class);
    private static final Actor.Holdfast ACTOR = new Actor.Holdfast("notify");
    private static final int PAGE = 500;
    private static final int TAKEN_AT_ONCE = 20;
    /// How long a channel waits for a node that died with some of its messages; twice what one message takes.
    private static final Duration LEASE = Duration.ofMinutes(1);
    private static final long POLL_MILLIS = 500;
    /// What the journal says within this time is put into the outbox together.
    private static final Duration GATHERED = Duration.ofMillis(50);
    private static final Duration KEPT = Duration.ofDays(30);

    private final Database database;
    private final Journal journal;
    private final InstantSource clock;
    private final Patience patience;
    private final Courier courier;
    private final Semaphore wake = new Semaphore(0);
    private final Map<Long, Boolean> busy = new ConcurrentHashMap<>();
    private volatile boolean closing;
    private volatile Instant forgotten = Instant.EPOCH;
    private @Nullable Thread worker;

    /// Brings one message to one channel.
    @FunctionalInterface
    interface Courier {
        Sent bring(Channel channel, NotifyStore.Taken message);
    }

    /// @param first how long to wait after a first failure; doubled each time
    /// @param most at most this long between two attempts at a receiver that is away
    /// @param rejections after which a message that the receiver does not want is given up, and one over which it
    ///     fails no longer holds up the others
    /// @param age after which a message to a receiver that is away is given up
    record Patience(Duration first, Duration most, int rejections, Duration age) {
        static final Patience DEFAULT =
                new Patience(Duration.ofSeconds(2), Duration.ofMinutes(5), 8, Duration.ofDays(7));

        Duration after(int failures) {
            Duration wait = first;
            for (int i = 1; i < failures && wait.compareTo(most) < 0; i++) {
                wait = wait.multipliedBy(2);
            }
            return wait.compareTo(most) < 0 ? wait : most;
        }
    }

    Outbox(Database database, Journal journal, InstantSource clock, Patience patience, Courier courier) {
        this.database = database;
        this.journal = journal;
        this.clock = clock;
        this.patience = patience;
        this.courier = courier;
        journal.subscribe(_ -> wake());
    }

    void start() {
        worker = Thread.ofVirtual().name("notify").start(this::run);
    }

    void wake() {
        if (wake.availablePermits() == 0) {
            wake.release();
        }
    }

    private void run() {
        while (!closing) {
            try {
                fill();
                dispatch();
                forget();
            } catch (RuntimeException e) {
                LOG.warn("notifications: {}", e.toString());
            }
            try {
                if (wake.tryAcquire(POLL_MILLIS, TimeUnit.MILLISECONDS) && !closing) {
                    Thread.sleep(GATHERED);
                    wake.drainPermits();
                }
            } catch (InterruptedException e) {
                return;
            }
        }
    }

    /// Puts what the journal has said since the cursor into the outbox.
    private void fill() {
        boolean more = true;
        while (more && !closing) {
            long cursor = database.<Long>read(sql -> NotifyStore.cursor(sql, false));
            List<Recorded> page = journal.read(cursor, PAGE);
            if (page.isEmpty()) {
                return;
            }
            database.run(sql -> {
                if (NotifyStore.cursor(sql, true) != cursor) {
                    return; // another node was first
                }
                List<Channel> channels = NotifyStore.enabled(sql);
                for (Recorded entry : channels.isEmpty() ? List.<Recorded>of() : page) {
                    JsonNode content = entry.json();
                    channels.stream()
                            .filter(channel -> isFor(channel, content))
                            .forEach(channel -> NotifyStore.enqueue(
                                    sql,
                                    channel.id(),
                                    entry.number(),
                                    content.path("kind").asText(),
                                    Message.payload(entry),
                                    clock.instant()));
                }
                NotifyStore.advance(sql, page.getLast().number());
            });
            more = page.size() == PAGE;
        }
    }

    private static boolean isFor(Channel channel, JsonNode content) {
        String kind = content.path("kind").asText();
        if (kind.equals(Channels.TESTED)) {
            return content.path("body").path("channel").asLong() == channel.id();
        }
        return channel.environment()
                        .equals(new Environment(content.path("environment").asText()))
                && channel.wants(kind, Message.severity(content));
    }

    /// Starts a thread for each channel that has something waiting and none yet.
    private void dispatch() {
        for (Channel channel : database.read(NotifyStore::due)) {
            if (busy.putIfAbsent(channel.id(), true) == null) {
                Thread.ofVirtual().name("notify-" + channel.id()).start(() -> deliver(channel));
            }
        }
    }

    private void deliver(Channel channel) {
        try {
            boolean more = true;
            while (more && !closing) {
                List<NotifyStore.Taken> taken =
                        database.transact(sql -> NotifyStore.take(sql, channel.id(), LEASE, TAKEN_AT_ONCE));
                more = inOrder(channel, taken) && taken.size() == TAKEN_AT_ONCE;
            }
        } catch (RuntimeException e) {
            LOG.warn("notifications of channel {}: {}", channel.id(), e.toString());
        } finally {
            busy.remove(channel.id());
        }
    }

    /// @return false when the receiver was away, this node ends or others have them: the rest waits
    private boolean inOrder(Channel channel, List<NotifyStore.Taken> taken) {
        List<NotifyStore.Taken> left = taken.stream()
                .sorted(java.util.Comparator.comparingLong(NotifyStore.Taken::id))
                .toList();
        long since = System.nanoTime();
        boolean goesOn = true;
        while (goesOn && !left.isEmpty() && !closing) {
            if (System.nanoTime() - since > LEASE.toNanos() / 2) {
                List<NotifyStore.Taken> held = left;
                Optional<OffsetDateTime> lease = database.transact(
                        sql -> NotifyStore.hold(sql, ids(held), held.getFirst().lease(), LEASE));
                if (lease.isEmpty()) {
                    break;
                }
                left = held.stream().map(message -> message.until(lease.get())).toList();
                since = System.nanoTime();
            }
            NotifyStore.Taken message = left.getFirst();
            left = left.subList(1, left.size());
            goesOn = settle(channel, message, bring(channel, message));
        }
        if (!left.isEmpty()) {
            List<NotifyStore.Taken> rest = left;
            database.run(
                    sql -> NotifyStore.release(sql, ids(rest), rest.getFirst().lease()));
        }
        return goesOn && left.isEmpty();
    }

    private Sent bring(Channel channel, NotifyStore.Taken message) {
        try {
            return courier.bring(channel, message);
        } catch (RuntimeException e) {
            LOG.warn("notification {} of channel {}: {}", message.id(), channel.id(), e.toString());
            return new Sent.Failed("it could not be sent: " + e.getMessage());
        }
    }

    private static List<Long> ids(List<NotifyStore.Taken> messages) {
        return messages.stream().map(NotifyStore.Taken::id).toList();
    }

    /// @return false when the rest has to wait
    private boolean settle(Channel channel, NotifyStore.Taken message, Sent sent) {
        Instant now = clock.instant();
        boolean old = message.createdAt().plus(patience.age()).isBefore(now);
        return switch (sent) {
            case Sent.Accepted _ -> {
                database.run(sql -> NotifyStore.delivered(sql, channel.id(), message.id(), now));
                yield true;
            }
            case Sent.Rejected rejected -> {
                if (message.attempts() >= patience.rejections()) {
                    giveUp(channel, message, rejected.why());
                } else {
                    again(channel, message, patience.after(message.attempts()), rejected.why());
                }
                yield true;
            }
            case Sent.Failed failed
            when old -> {
                giveUp(channel, message, failed.why());
                yield true;
            }
            // Perhaps it is this message that it fails over: after a while the others go past.
            case Sent.Failed failed
            when message.attempts() >= patience.rejections() -> {
                again(channel, message, patience.most(), failed.why());
                yield true;
            }
            case Sent.Failed failed -> {
                away(channel, message, true, failed.why());
                yield false;
            }
            case Sent.Away away -> {
                if (old) {
                    giveUp(channel, message, away.why());
                }
                away(channel, message, false, away.why());
                yield false;
            }
        };
    }

    private void again(Channel channel, NotifyStore.Taken message, Duration wait, String why) {
        database.run(sql -> NotifyStore.again(sql, message, channel.id(), wait, shown(why)));
    }

    private void away(Channel channel, NotifyStore.Taken message, boolean counts, String why) {
        database.run(sql -> NotifyStore.away(sql, message, channel.id(), patience::after, counts, shown(why)));
    }

    /// Nothing is lost: it stays in the outbox, is shown as dead, and the other channels are told.
    private void giveUp(Channel channel, NotifyStore.Taken message, String why) {
        journal.run(tx -> {
            boolean given = NotifyStore.dead(tx.sql(), message, channel.id(), shown(why));
            if (given && !message.kind().equals(Channels.DEAD)) {
                tx.record(new Entry(
                        Channels.DEAD,
                        channel.environment(),
                        "channel:" + channel.id(),
                        ACTOR,
                        "a notification of " + message.kind() + " could not be delivered to " + channel.name() + ": "
                                + shown(why),
                        Map.of("entry", message.entry(), "attempts", message.attempts(), "severity", "MEDIUM")));
            }
        });
    }

    private static String shown(String why) {
        return SmtpClient.line(why);
    }

    private void forget() {
        Instant now = clock.instant();
        if (Duration.between(forgotten, now).compareTo(Duration.ofHours(1)) > 0) {
            forgotten = now;
            database.run(sql -> NotifyStore.forget(sql, now.minus(KEPT)));
        }
    }

    @Override
    public void close() {
        closing = true;
        wake.release();
        try {
            if (worker != null) {
                worker.join();
            }
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(12);
            while (!busy.isEmpty() && System.nanoTime() - deadline < 0) {
                TimeUnit.MILLISECONDS.sleep(10);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
