package dev.holdfast.rollover;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;

/// Who was told of a root, who has fetched what carries it in, and who has said that they trust it.
final class TrustStore {
    private static final String COUNTS =
            "c.device is not null and c.state in ('pending','current') and c.not_after > ?";
    private static final String SAID = "select 1 from trust_acknowledgement a where a.root_sha256 = ?"
            + " and a.environment = c.environment and a.device = c.device";

    private TrustStore() {}

    static boolean acknowledge(DSLContext sql, String root, DeviceRef device, Instant now) {
        return sql.execute(
                        "insert into trust_acknowledgement(root_sha256, environment, device, acknowledged_at)"
                                + " values (?, ?, ?, ?) on conflict do nothing",
                        root,
                        device.environment().value(),
                        device.id().value(),
                        RolloverStore.utc(now))
                == 1;
    }

    static void told(DSLContext sql, String root, DeviceRef device, Instant now) {
        noted(sql, "told_at", root, device, now);
    }

    static void fetched(DSLContext sql, String root, DeviceRef device, Instant now) {
        noted(sql, "fetched_at", root, device, now);
    }

    private static void noted(DSLContext sql, String column, String root, DeviceRef device, Instant now) {
        sql.execute(
                "insert into trust_invitation(root_sha256, environment, device, " + column + ") values (?, ?, ?, ?)"
                        + " on conflict (root_sha256, environment, device) do update set " + column + " = excluded."
                        + column,
                root,
                device.environment().value(),
                device.id().value(),
                RolloverStore.utc(now));
    }

    static long countTold(DSLContext sql, String root) {
        return RolloverStore.count(
                sql, "select count(*) from trust_invitation where root_sha256 = ? and told_at is not null", root);
    }

    /// Devices with a certificate that counts which have not been told and have not said that they trust it.
    static List<DeviceRef> untold(DSLContext sql, String root, Instant now, int limit) {
        return sql.fetch(
                        "select distinct c.environment, c.device from certificate c where " + COUNTS
                                + " and not exists (" + SAID + ") and not exists (select 1 from trust_invitation i"
                                + " where i.root_sha256 = ? and i.environment = c.environment and i.device = c.device"
                                + " and i.told_at is not null) order by c.environment, c.device limit ?",
                        RolloverStore.utc(now),
                        root,
                        root,
                        limit)
                .map(row -> DeviceRef.of(row.get(0, String.class), row.get(1, String.class)));
    }

    /// Devices with a certificate that counts which have said that they trust this root.
    static long trusting(DSLContext sql, String root, Instant now) {
        return counting(sql, "trust_acknowledgement", "", root, now);
    }

    /// Those that have fetched the certificates that carry it in.
    static long fetched(DSLContext sql, String root, Instant now) {
        return counting(sql, "trust_invitation", " and a.fetched_at is not null", root, now);
    }

    private static long counting(DSLContext sql, String table, String more, String root, Instant now) {
        return RolloverStore.count(
                sql,
                "select count(*) from " + table + " a where a.root_sha256 = ?" + more + " and exists (select 1 from"
                        + " certificate c where c.environment = a.environment and c.device = a.device and " + COUNTS
                        + ")",
                root,
                RolloverStore.utc(now));
    }

    /// What a rollover goes from and to.
    ///
    /// @param root the new root's fingerprint
    record Sides(String root, List<String> before, List<String> after) {}

    static List<DeviceTrust> devices(
            DSLContext sql,
            Rollover rollover,
            Sides sides,
            DeviceTrust.Only only,
            Optional<DeviceRef> after,
            Instant now,
            int limit) {
        String environment = rollover.environment().map(Environment::value).orElse("");
        String moved = "bool_or(c.authority = any(?::text[]) and c.state = 'current')";
        String acknowledged = rollover.kind() == Rollover.Kind.ROOT ? "max(t.acknowledged_at) is not null" : moved;
        List<Object> bindings = new ArrayList<>(List.of(
                RolloverStore.array(sides.after()),
                RolloverStore.array(sides.before()),
                sides.root(),
                sides.root(),
                RolloverStore.utc(now),
                environment,
                environment,
                after.map(d -> d.environment().value()).orElse(""),
                after.map(d -> d.id().value()).orElse("")));
        String having = switch (only) {
            case ALL -> "";
            case ACKNOWLEDGED -> " having " + acknowledged;
            case MISSING -> " having not (" + acknowledged + ")";
        };
        if (only != DeviceTrust.Only.ALL && rollover.kind() != Rollover.Kind.ROOT) {
            bindings.add(RolloverStore.array(sides.after()));
        }
        bindings.add(limit);
        return sql.fetch(
                        "select c.environment, c.device, max(i.told_at), max(i.fetched_at), max(t.acknowledged_at), "
                                + moved + ", bool_or(c.authority = any(?::text[])) from certificate c"
                                + " left join trust_invitation i on i.root_sha256 = ? and i.environment ="
                                + " c.environment and i.device = c.device"
                                + " left join trust_acknowledgement t on t.root_sha256 = ? and t.environment ="
                                + " c.environment and t.device = c.device"
                                + " where " + COUNTS + " and (? = '' or c.environment = ?)"
                                + " and (c.environment, c.device) > (?, ?) group by c.environment, c.device" + having
                                + " order by c.environment, c.device limit ?",
                        bindings.toArray())
                .map(TrustStore::device);
    }

    private static DeviceTrust device(Record row) {
        return new DeviceTrust(
                DeviceRef.of(row.get(0, String.class), row.get(1, String.class)),
                at(row, 2),
                at(row, 3),
                at(row, 4),
                row.get(5, Boolean.class),
                row.get(6, Boolean.class));
    }

    private static Optional<Instant> at(Record row, int column) {
        return Optional.ofNullable(row.get(column, OffsetDateTime.class)).map(OffsetDateTime::toInstant);
    }
}
