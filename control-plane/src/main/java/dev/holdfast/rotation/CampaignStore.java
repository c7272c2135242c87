package dev.holdfast.rotation;

import dev.holdfast.core.Environment;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;
import org.jooq.impl.DSL;
import org.jspecify.annotations.Nullable;

/// Campaigns, and the pieces in which they are planned and cleared.
///
/// Whoever plans locks the campaign's row for one piece, on whichever node; certificates that somebody else has
/// locked are passed over and found by the next pass, so that planning neither waits for others nor makes them
/// wait long.
final class CampaignStore {
    private static final String CAMPAIGN =
            "select k.id, k.environment, k.reason, k.started_by, k.started_at, k.per_hour,"
                    + " k.total, k.stopped_at,"
                    + " (select count(*) from certificate c where c.renewal_campaign = k.id and c.renew_at <= ?),"
                    + " (select count(*) from certificate c where c.renewal_campaign = k.id"
                    + "   and c.state in ('superseded','revoked')), k.planned_at"
                    + " from renewal_campaign k where k.environment = ?";
    private static final String FREE_AND_MOVED = " free as (select c.serial from certificate c"
            + " join seen on seen.serial = c.serial for update of c skip locked),"
            + " moved as (update certificate c set renew_at = least(c.renew_at, ?::timestamptz"
            + " + (? + chosen.place) * ?::float8 * interval '1 second'), told_at = null, renewal_campaign = ?"
            + " from (select serial, row_number() over (order by serial) - 1 as place from free) chosen"
            + " where c.serial = chosen.serial returning 1)";

    private CampaignStore() {}

    /// A campaign whose row is locked, with what planning it needs.
    record Unplanned(
            String id,
            String environment,
            Instant startedAt,
            int perHour,
            long total,
            @Nullable String authority,
            @Nullable String serial,
            boolean byDevice,
            String cursor) {}

    /// @param last the last serial that was looked at; empty when the pass is over
    record Piece(long planned, Optional<String> last) {}

    /// @param perPart devices in a part
    static void insert(DSLContext sql, Campaign campaign, Chosen chosen, int perPart) {
        sql.execute(
                "insert into renewal_campaign(id, environment, reason, started_by, started_at, per_hour, total,"
                        + " authority, serial, by_device) values (?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
                campaign.id(),
                campaign.environment().value(),
                campaign.reason(),
                campaign.startedBy(),
                utc(campaign.startedAt()),
                campaign.perHour(),
                chosen instanceof Chosen.OfAuthority by ? by.authority() : null,
                chosen instanceof Chosen.One one ? one.certificate().hex() : null,
                chosen instanceof Chosen.OfDevices);
        if (chosen instanceof Chosen.OfDevices of) {
            List<String> ids = of.devices().stream().map(d -> d.id().value()).toList();
            for (int from = 0; from < ids.size(); from += perPart) {
                sql.execute(
                        "insert into renewal_campaign_part(campaign, part, devices) values (?, ?, ?)",
                        campaign.id(),
                        from / perPart,
                        ids.subList(from, Math.min(ids.size(), from + perPart)).toArray(String[]::new));
            }
        }
    }

    /// The oldest that is not planned yet and that nobody else is at.
    static Optional<Unplanned> takeUnplanned(DSLContext sql) {
        return sql.fetchOptional("select id, environment, started_at, per_hour, total, authority, serial, by_device,"
                        + " cursor from renewal_campaign where planned_at is null and stopped_at is null"
                        + " order by started_at limit 1 for update skip locked")
                .map(row -> new Unplanned(
                        row.get(0, String.class),
                        row.get(1, String.class),
                        row.get(2, OffsetDateTime.class).toInstant(),
                        row.get(3, Integer.class),
                        row.get(4, Long.class),
                        row.get(5, String.class),
                        row.get(6, String.class),
                        row.get(7, Boolean.class),
                        row.get(8, String.class)));
    }

    /// The next certificates of a campaign that was not given its devices by name.
    static Piece planNext(DSLContext sql, Unplanned campaign, int most) {
        List<Object> bindings = new ArrayList<>(List.of(campaign.environment()));
        String which = which(campaign, bindings);
        bindings.addAll(List.of(campaign.cursor(), utc(campaign.startedAt()), campaign.id(), most));
        bindings.addAll(move(campaign));
        Record row = sql.fetchSingle(
                "with seen as (select serial from certificate where environment = ? and " + RenewalStore.COUNTS + which
                        + " and serial > ? and intended_at <= ? and renewal_campaign is distinct from ?"
                        + " order by serial limit ?)," + FREE_AND_MOVED
                        + " select (select count(*) from moved), (select max(serial) from seen)",
                bindings.toArray());
        return new Piece(row.get(0, Long.class), Optional.ofNullable(row.get(1, String.class)));
    }

    /// The condition of what was chosen, and its bindings.
    private static String which(Unplanned campaign, List<Object> bindings) {
        String which = "";
        if (campaign.authority() != null) {
            which += " and authority = ?";
            bindings.add(campaign.authority());
        }
        if (campaign.serial() != null) {
            which += " and serial = ?";
            bindings.add(campaign.serial());
        }
        return which;
    }

    /// Whether a pass has passed over certificates that somebody else had locked.
    static boolean anyLeft(DSLContext sql, Unplanned campaign) {
        List<Object> bindings =
                new ArrayList<>(List.of(campaign.environment(), utc(campaign.startedAt()), campaign.id()));
        String which = which(campaign, bindings);
        return sql.fetchSingle(
                        "select exists (select 1 from certificate where environment = ? and " + RenewalStore.COUNTS
                                + " and intended_at <= ? and renewal_campaign is distinct from ?" + which + ")",
                        bindings.toArray())
                .get(0, Boolean.class);
    }

    /// The next part of the devices a campaign was given by name; stays while somebody else holds one of their
    /// certificates locked.
    ///
    /// @return how many were planned; empty when there is no part left
    static Optional<Long> planPart(DSLContext sql, Unplanned campaign) {
        Optional<Part> part = sql.fetchOptional(
                        "select part, devices from renewal_campaign_part where campaign = ? order by part limit 1",
                        campaign.id())
                .map(row -> new Part(row.get(0, Integer.class), List.of(row.get(1, String[].class))));
        if (part.isEmpty()) {
            return Optional.empty();
        }
        List<Object> bindings = new ArrayList<>(List.of(
                campaign.environment(),
                part.get().devices().toArray(String[]::new),
                utc(campaign.startedAt()),
                campaign.id()));
        bindings.addAll(move(campaign));
        Record row = sql.fetchSingle(
                "with seen as (select serial from certificate where environment = ? and " + RenewalStore.COUNTS
                        + " and device = any(?::text[]) and intended_at <= ? and renewal_campaign is distinct from ?),"
                        + FREE_AND_MOVED + " select (select count(*) from moved), (select count(*) from seen)",
                bindings.toArray());
        long moved = row.get(0, Long.class);
        if (moved == row.get(1, Long.class)) {
            sql.execute(
                    "delete from renewal_campaign_part where campaign = ? and part = ?",
                    campaign.id(),
                    part.get().number());
        }
        return Optional.of(moved);
    }

    private record Part(int number, List<String> devices) {}

    private static List<Object> move(Unplanned campaign) {
        return List.of(utc(campaign.startedAt()), campaign.total(), 3_600.0 / campaign.perHour(), campaign.id());
    }

    static void planned(DSLContext sql, String id, long more, String cursor) {
        sql.execute("update renewal_campaign set total = total + ?, cursor = ? where id = ?", more, cursor, id);
    }

    /// @return false when it was planned already, or stopped
    static boolean finishPlanning(DSLContext sql, String id, Instant now) {
        return sql.execute(
                        "update renewal_campaign set planned_at = ? where id = ? and planned_at is null"
                                + " and stopped_at is null",
                        utc(now),
                        id)
                == 1;
    }

    static boolean stop(DSLContext sql, Environment environment, String id, Instant now) {
        return sql.execute(
                        "update renewal_campaign set stopped_at = ? where environment = ? and id = ?"
                                + " and stopped_at is null",
                        utc(now),
                        environment.value(),
                        id)
                == 1;
    }

    /// Some certificates of a stopped campaign that were not told yet go back to no campaign, and to the time
    /// that their lifetime gives, because nobody remembers the one before.
    ///
    /// @return whether there may be more to clear
    static boolean clearSome(DSLContext sql, int most, Instant now) {
        Optional<String> id = sql.fetchOptional("select id from renewal_campaign where stopped_at is not null"
                        + " and cleared_at is null order by started_at limit 1 for update skip locked")
                .map(row -> row.get(0, String.class));
        if (id.isEmpty()) {
            return false;
        }
        int cleared = sql.execute(
                "with mine as (select serial from certificate where renewal_campaign = ? and told_at is null"
                        + " and renew_at > (select stopped_at from renewal_campaign where id = ?)"
                        + " limit ? for update skip locked)"
                        + " update certificate c set renew_at = intended_at + (not_after - intended_at) * 2 / 3,"
                        + " renewal_campaign = null from mine where c.serial = mine.serial",
                id.get(),
                id.get(),
                most);
        if (cleared == 0
                && !sql.fetchExists(
                        DSL.table("certificate"),
                        DSL.condition(
                                "renewal_campaign = ? and told_at is null and renew_at >"
                                        + " (select stopped_at from renewal_campaign where id = ?)",
                                id.get(),
                                id.get()))) {
            sql.execute("delete from renewal_campaign_part where campaign = ?", id.get());
            sql.execute("update renewal_campaign set cleared_at = ? where id = ?", utc(now), id.get());
        }
        return true;
    }

    static Optional<Campaign> find(DSLContext sql, Environment environment, String id, Instant now) {
        return sql.fetchOptional(CAMPAIGN + " and k.id = ?", utc(now), environment.value(), id)
                .map(CampaignStore::campaign);
    }

    static Campaign find(DSLContext sql, String id, Instant now) {
        Environment environment =
                new Environment(sql.fetchSingle("select environment from renewal_campaign where id = ?", id)
                        .get(0, String.class));
        return find(sql, environment, id, now).orElseThrow();
    }

    static List<Campaign> list(DSLContext sql, Environment environment, Instant now, int limit) {
        return sql.fetch(CAMPAIGN + " order by k.started_at desc, k.id limit ?", utc(now), environment.value(), limit)
                .map(CampaignStore::campaign);
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
                instant(row.get(10, OffsetDateTime.class)),
                instant(row.get(7, OffsetDateTime.class)));
    }

    private static Optional<Instant> instant(@Nullable OffsetDateTime time) {
        return Optional.ofNullable(time).map(OffsetDateTime::toInstant);
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
