package dev.holdfast.notify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Json;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BinaryOperator;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of channels and of the outbox.
final class NotifyStore {
    private static final String CHANNELS =
            "select c.id, c.environment, c.name, c.kind, c.target::text, c.kinds::text, c.minimum_severity, c.enabled,"
                    + " c.created_at, c.last_delivered_at, c.last_error,"
                    + " (select count(*) from notify_outbox o where o.channel = c.id and o.status = 'WAITING')::int,"
                    + " (select count(*) from notify_outbox o where o.channel = c.id and o.status = 'DEAD')::int"
                    + " from notify_channel c";
    private static final String DELIVERY =
            "id, channel, entry, kind, status, attempts, nullif(greatest(next_attempt_at, (select c.away_until from"
                    + " notify_channel c where c.id = channel)), to_timestamp(0)), delivered_at, last_error";

    private NotifyStore() {}

    // Times that nodes compare are the database's: their own clocks need not agree.

    /// One message that this node has taken to deliver, until its lease runs out.
    ///
    /// @param lease of the whole batch; who holds another one does not hold the message any more
    record Taken(
            long id, long entry, String kind, String payload, int attempts, Instant createdAt, OffsetDateTime lease) {
        Taken until(OffsetDateTime newLease) {
            return new Taken(id, entry, kind, payload, attempts, createdAt, newLease);
        }
    }

    static List<Channel> channels(DSLContext sql, Environment environment) {
        return sql.fetch(CHANNELS + " where c.environment = ? order by c.id", environment.value())
                .map(NotifyStore::channel);
    }

    static List<Channel> enabled(DSLContext sql) {
        return sql.fetch(CHANNELS + " where c.enabled order by c.id").map(NotifyStore::channel);
    }

    /// Enabled channels that have something to deliver by now.
    static List<Channel> due(DSLContext sql) {
        return sql.fetch(CHANNELS + " where c.enabled and (c.away_until is null or c.away_until <= now())"
                        + " and exists (select 1 from notify_outbox o where o.channel = c.id"
                        + " and o.status = 'WAITING' and o.next_attempt_at <= now()) order by c.id")
                .map(NotifyStore::channel);
    }

    static Optional<Channel> channel(DSLContext sql, Environment environment, long id) {
        return sql.fetchOptional(CHANNELS + " where c.environment = ? and c.id = ?", environment.value(), id)
                .map(NotifyStore::channel);
    }

    static String secret(DSLContext sql, long channel) {
        return sql.fetchSingle("select coalesce(secret, '') from notify_channel where id = ?", channel)
                .get(0, String.class);
    }

    /// What a channel's secret is bound to; a channel keeps its name.
    static String owner(String environment, String name) {
        return environment + "/" + name;
    }

    static void sealSecrets(DSLContext sql, Predicate<String> isSealed, BinaryOperator<String> seal) {
        sql
                .fetch("select id, environment, name, secret from notify_channel where secret is not null for update")
                .stream()
                .filter(row -> !isSealed.test(row.get(3, String.class)))
                .forEach(row -> sql.execute(
                        "update notify_channel set secret = ? where id = ?",
                        seal.apply(row.get(3, String.class), owner(row.get(1, String.class), row.get(2, String.class))),
                        row.get(0, Long.class)));
    }

    static int count(DSLContext sql, Environment environment) {
        return sql.fetchSingle("select count(*)::int from notify_channel where environment = ?", environment.value())
                .get(0, Integer.class);
    }

    static boolean nameIsTaken(DSLContext sql, Environment environment, String name) {
        return sql.fetchOptional(
                        "select 1 from notify_channel where environment = ? and name = ?", environment.value(), name)
                .isPresent();
    }

    static long insert(DSLContext sql, Channel c, Optional<String> secret) {
        return sql.fetchSingle(
                        "insert into notify_channel(environment, name, kind, target, secret, kinds, minimum_severity,"
                                + " enabled, created_at) values (?, ?, ?, ?::jsonb, ?, ?::jsonb, ?, ?, ?) returning id",
                        c.environment().value(),
                        c.name(),
                        kind(c.target()),
                        Json.text(target(c.target())),
                        secret.orElse(null),
                        Json.text(c.kinds()),
                        c.minimumSeverity().name(),
                        c.enabled(),
                        utc(c.createdAt()))
                .get(0, Long.class);
    }

    static String kind(Channel.Target target) {
        return switch (target) {
            case Channel.Target.Webhook _ -> "webhook";
            case Channel.Target.Mail _ -> "mail";
        };
    }

    private static Map<String, Object> target(Channel.Target target) {
        return switch (target) {
            case Channel.Target.Webhook webhook -> Map.of("url", webhook.url().toString());
            case Channel.Target.Mail mail -> Map.of("to", mail.to(), "from", mail.from());
        };
    }

    static boolean setEnabled(DSLContext sql, Environment environment, long id, boolean enabled) {
        return sql.execute(
                        "update notify_channel set enabled = ? where environment = ? and id = ?",
                        enabled,
                        environment.value(),
                        id)
                == 1;
    }

    static boolean remove(DSLContext sql, Environment environment, long id) {
        return sql.execute("delete from notify_channel where environment = ? and id = ?", environment.value(), id) == 1;
    }

    static long cursor(DSLContext sql, boolean lock) {
        return sql.fetchSingle("select number from notify_cursor" + (lock ? " for update" : ""))
                .get(0, Long.class);
    }

    static void advance(DSLContext sql, long number) {
        sql.execute("update notify_cursor set number = ? where number < ?", number, number);
    }

    static void enqueue(DSLContext sql, long channel, long entry, String kind, String payload, Instant now) {
        sql.execute(
                "insert into notify_outbox(channel, entry, kind, payload, status, created_at, next_attempt_at)"
                        + " values (?, ?, ?, ?, 'WAITING', ?, to_timestamp(0)) on conflict (channel, entry) do nothing",
                channel,
                entry,
                kind,
                payload,
                utc(now));
    }

    /// Takes what is due, oldest first; nothing while a node (this one included) still has some of the channel's,
    /// so that they keep their order.
    static List<Taken> take(DSLContext sql, long channel, Duration lease, int limit) {
        sql.fetch("select 1 from notify_channel where id = ? for no key update", channel);
        return sql.fetch(
                        "update notify_outbox set lease_until = statement_timestamp() + make_interval(secs => ?),"
                                + " attempts = attempts + 1 where id in ("
                                + " select id from notify_outbox where channel = ? and status = 'WAITING'"
                                + " and next_attempt_at <= statement_timestamp()"
                                + " and not exists (select 1 from notify_outbox held where held.channel = ?"
                                + " and held.status = 'WAITING' and held.lease_until > statement_timestamp())"
                                + " order by id limit ?)"
                                + " returning id, entry, kind, payload, attempts, created_at, lease_until",
                        seconds(lease),
                        channel,
                        channel,
                        limit)
                .map(row -> new Taken(
                        row.get(0, Long.class),
                        row.get(1, Long.class),
                        row.get(2, String.class),
                        row.get(3, String.class),
                        row.get(4, Integer.class),
                        row.get(5, OffsetDateTime.class).toInstant(),
                        row.get(6, OffsetDateTime.class)));
    }

    /// Holds what was taken for longer.
    ///
    /// @return the new lease; empty when some of them are in other hands by now
    static Optional<OffsetDateTime> hold(DSLContext sql, List<Long> ids, OffsetDateTime held, Duration lease) {
        List<OffsetDateTime> until = sql.fetch(
                        "update notify_outbox set lease_until = statement_timestamp() + make_interval(secs => ?)"
                                + " where id = any (?) and status = 'WAITING' and lease_until = ? returning lease_until",
                        seconds(lease),
                        ids.toArray(Long[]::new),
                        held)
                .map(row -> row.get(0, OffsetDateTime.class));
        return until.size() == ids.size() ? Optional.of(until.getFirst()) : Optional.empty();
    }

    // A channel's row is locked before its messages', as in #take.

    static void delivered(DSLContext sql, long channel, long id, Instant now) {
        sql.execute(
                "update notify_channel set last_delivered_at = ?, last_error = '', away_until = null, away_times = 0"
                        + " where id = ?",
                utc(now),
                channel);
        sql.execute(
                "update notify_outbox set status = 'DELIVERED', delivered_at = ?, lease_until = null, last_error = ''"
                        + " where id = ?",
                utc(now),
                id);
    }

    /// The receiver was not there: its message stays the first that waits.
    ///
    /// @param wait by how often in a row it was away
    /// @param counts whether this was an attempt at the message
    static void away(
            DSLContext sql, Taken message, long channel, IntFunction<Duration> wait, boolean counts, String error) {
        int times = sql.fetchSingle(
                        "update notify_channel set last_error = ?, away_times = away_times + 1 where id = ?"
                                + " returning away_times",
                        error,
                        channel)
                .get(0, Integer.class);
        sql.execute(
                "update notify_channel set away_until = now() + make_interval(secs => ?) where id = ?",
                seconds(wait.apply(times)),
                channel);
        sql.execute(
                "update notify_outbox set lease_until = null, last_error = ?, attempts = attempts - ? where id = ?"
                        + " and lease_until = ?",
                error,
                counts ? 0 : 1,
                message.id(),
                message.lease());
    }

    /// The receiver does not want this message now.
    static void again(DSLContext sql, Taken message, long channel, Duration wait, String error) {
        sql.execute("update notify_channel set last_error = ? where id = ?", error, channel);
        sql.execute(
                "update notify_outbox set next_attempt_at = now() + make_interval(secs => ?), lease_until = null,"
                        + " last_error = ? where id = ? and lease_until = ?",
                seconds(wait),
                error,
                message.id(),
                message.lease());
    }

    /// Gives back what was taken and not tried.
    static void release(DSLContext sql, List<Long> ids, OffsetDateTime held) {
        sql.execute(
                "update notify_outbox set lease_until = null, attempts = attempts - 1 where id = any (?)"
                        + " and lease_until = ?",
                ids.toArray(Long[]::new),
                held);
    }

    /// @return false when it is in other hands by now
    static boolean dead(DSLContext sql, Taken message, long channel, String error) {
        sql.execute("update notify_channel set last_error = ? where id = ?", error, channel);
        return sql.execute(
                        "update notify_outbox set status = 'DEAD', lease_until = null, last_error = ? where id = ?"
                                + " and lease_until = ?",
                        error,
                        message.id(),
                        message.lease())
                == 1;
    }

    static int revive(DSLContext sql, long channel, Instant now) {
        sql.execute("update notify_channel set away_until = null, away_times = 0 where id = ?", channel);
        return sql.execute(
                "update notify_outbox set status = 'WAITING', attempts = 0, next_attempt_at = to_timestamp(0),"
                        + " created_at = ? where channel = ? and status = 'DEAD'",
                utc(now),
                channel);
    }

    static void forget(DSLContext sql, Instant before) {
        sql.execute("delete from notify_outbox where status = 'DELIVERED' and delivered_at < ?", utc(before));
    }

    static List<Delivery> deliveries(DSLContext sql, Environment environment, long channel, long before, int limit) {
        return sql.fetch(
                        "select " + DELIVERY + " from notify_outbox where channel = ? and id < ? and exists"
                                + " (select 1 from notify_channel c where c.id = channel and c.environment = ?)"
                                + " order by id desc limit ?",
                        channel,
                        before,
                        environment.value(),
                        limit)
                .map(row -> new Delivery(
                        row.get(0, Long.class),
                        row.get(1, Long.class),
                        row.get(2, Long.class),
                        row.get(3, String.class),
                        Delivery.Status.valueOf(row.get(4, String.class)),
                        row.get(5, Integer.class),
                        instant(row, 6),
                        instant(row, 7),
                        row.get(8, String.class)));
    }

    private static Channel channel(Record row) {
        JsonNode target = read(row.get(4, String.class), new TypeReference<JsonNode>() {});
        return new Channel(
                row.get(0, Long.class),
                new Environment(row.get(1, String.class)),
                row.get(2, String.class),
                row.get(3, String.class).equals("webhook")
                        ? new Channel.Target.Webhook(
                                URI.create(target.path("url").asText()))
                        : new Channel.Target.Mail(
                                Json.mapper().convertValue(target.path("to"), new TypeReference<List<String>>() {}),
                                target.path("from").asText()),
                read(row.get(5, String.class), new TypeReference<List<String>>() {}),
                Channel.Severity.valueOf(row.get(6, String.class)),
                row.get(7, Boolean.class),
                row.get(8, OffsetDateTime.class).toInstant(),
                new Channel.Health(
                        row.get(11, Integer.class),
                        row.get(12, Integer.class),
                        instant(row, 9),
                        row.get(10, String.class)));
    }

    private static Optional<Instant> instant(Record row, int column) {
        return Optional.ofNullable(row.get(column, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
    }

    private static double seconds(Duration time) {
        return time.toMillis() / 1e3;
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }

    private static <T> T read(String json, TypeReference<T> type) {
        try {
            return Json.mapper().readValue(json, type);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a stored channel can't be read", e);
        }
    }
}
