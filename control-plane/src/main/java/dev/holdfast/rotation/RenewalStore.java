package dev.holdfast.rotation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jspecify.annotations.Nullable;

/// Campaigns, and the renewal columns of the table of certificates.
final class RenewalStore {
    private static final String COUNTS = "device is not null and state in ('pending','current') and not held";
    private static final String CAMPAIGN =
            "select k.id, k.environment, k.reason, k.started_by, k.started_at, k.per_hour,"
                    + " k.total, k.stopped_at,"
                    + " (select count(*) from certificate c where c.renewal_campaign = k.id"
                    + "   and (c.told_at is not null or c.renew_at <= ?)),"
                    + " (select count(*) from certificate c where c.renewal_campaign = k.id"
                    + "   and c.state in ('superseded','revoked'))"
                    + " from renewal_campaign k where k.environment = ?";

    private RenewalStore() {}

    /// A device that is to be told.
    record Due(DeviceRef device, Serial certificate, Instant renewAt) {}

    static Optional<Instant> renewAt(DSLContext sql, Serial serial) {
        return sql.fetchOptional("select renew_at from certificate where serial = ? and " + COUNTS, serial.hex())
                .map(row -> row.get(0, OffsetDateTime.class))
                .map(OffsetDateTime::toInstant);
    }

    /// Spreads the renewal of the chosen certificates from `now` on, in the order of their serials, which is by
    /// chance.
    ///
    /// @return how many
    static long bringForward(
            DSLContext sql, String campaign, Environment environment, Chosen chosen, Instant now, int perHour) {
        List<Object> bindings = new ArrayList<>();
        bindings.add(environment.value());
        String which = switch (chosen) {
            case Chosen.All _ -> "";
            case Chosen.OfAuthority by -> {
                bindings.add(by.authority());
                yield " and authority = ?";
            }
            case Chosen.One one -> {
                bindings.add(one.certificate().hex());
                yield " and serial = ?";
            }
            case Chosen.OfDevices of -> {
                bindings.add(of.devices().stream().map(d -> d.id().value()).toArray(String[]::new));
                yield " and device = any(?::text[])";
            }
        };
        bindings.add(utc(now));
        bindings.add(3_600.0 / perHour);
        bindings.add(campaign);
        return sql.execute(
                "with chosen as (select serial, row_number() over (order by serial) - 1 as place from certificate"
                        + " where environment = ? and " + COUNTS + which + ")"
                        + " update certificate c set renew_at = least(c.renew_at,"
                        + " ?::timestamptz + chosen.place * ?::float8 * interval '1 second'), told_at = null,"
                        + " renewal_campaign = ? from chosen where c.serial = chosen.serial",
                bindings.toArray());
    }

    static void insert(DSLContext sql, Campaign campaign) {
        sql.execute(
                "insert into renewal_campaign(id, environment, reason, started_by, started_at, per_hour, total)"
                        + " values (?, ?, ?, ?, ?, ?, ?)",
                campaign.id(),
                campaign.environment().value(),
                campaign.reason(),
                campaign.startedBy(),
                utc(campaign.startedAt()),
                campaign.perHour(),
                campaign.total());
    }

    /// Those that were not told yet go back to no campaign; their time stays, because nobody remembers the one
    /// before.
    static boolean stop(DSLContext sql, Environment environment, String id, Instant now) {
        boolean stopped = sql.execute(
                        "update renewal_campaign set stopped_at = ? where environment = ? and id = ?"
                                + " and stopped_at is null",
                        utc(now),
                        environment.value(),
                        id)
                == 1;
        if (stopped) {
            sql.execute(
                    "update certificate set renew_at = intended_at + (not_after - intended_at) * 2 / 3,"
                            + " renewal_campaign = null where renewal_campaign = ? and told_at is null and renew_at > ?",
                    id,
                    utc(now));
        }
        return stopped;
    }

    static Optional<Campaign> campaign(DSLContext sql, Environment environment, String id, Instant now) {
        return sql.fetchOptional(CAMPAIGN + " and k.id = ?", utc(now), environment.value(), id)
                .map(RenewalStore::campaign);
    }

    static List<Campaign> campaigns(DSLContext sql, Environment environment, Instant now, int limit) {
        return sql.fetch(CAMPAIGN + " order by k.started_at desc, k.id limit ?", utc(now), environment.value(), limit)
                .map(RenewalStore::campaign);
    }

    /// The turn to tell devices, for this transaction alone.
    ///
    /// @return how long ago the last turn was, at most `longest`; empty when another node has the turn
    static Optional<Duration> takeTurn(DSLContext sql, Instant now, Duration longest) {
        return sql.fetchOptional("select last_at from renewal_turn for update skip locked")
                .map(row -> Duration.between(row.get(0, OffsetDateTime.class).toInstant(), now))
                .map(since -> since.compareTo(longest) > 0 ? longest : since)
                .filter(Duration::isPositive);
    }

    static void turnTaken(DSLContext sql, Instant now) {
        sql.execute("update renewal_turn set last_at = ?", utc(now));
    }

    static List<Due> due(DSLContext sql, Instant now, int limit) {
        return sql.fetch(
                        "select environment, device, serial, renew_at from certificate where renew_at <= ?"
                                + " and told_at is null and state = 'current' and not held and device is not null"
                                + " order by renew_at limit ?",
                        utc(now),
                        limit)
                .map(row -> new Due(
                        DeviceRef.of(row.get(0, String.class), row.get(1, String.class)),
                        new Serial(row.get(2, String.class)),
                        row.get(3, OffsetDateTime.class).toInstant()));
    }

    static void told(DSLContext sql, List<Due> due, Instant now) {
        sql.execute(
                "update certificate set told_at = ? where serial = any(?::text[])",
                utc(now),
                due.stream().map(d -> d.certificate().hex()).toArray(String[]::new));
    }

    private static Campaign campaign(Record row) {
        return new Campaign(
                row.get(0, String.class),
                new Environment(row.get(1, String.class)),
                row.get(2, String.class),
                row.get(3, String.class),
                row.get(4, OffsetDateTime.class).toInstant(),
                row.get(5, Integer.class),
                row.get(6, Long.class),
                row.get(8, Long.class),
                row.get(9, Long.class),
                instant(row.get(7, OffsetDateTime.class)));
    }

    private static Optional<Instant> instant(@Nullable OffsetDateTime time) {
        return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
