package dev.holdfast.segmentation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jooq.DSLContext;

/// What each gateway was last told.
final class SegmentStore {
    private SegmentStore() {}

    /// @param revision of the gateway's desired state, since which it is told so
    record Member(boolean isolated, long revision) {}

    static Optional<Member> find(DSLContext sql, DeviceRef gateway, DeviceRef device) {
        return sql.fetchOptional(
                        "select isolated, revision from segment_member"
                                + " where environment = ? and gateway = ? and device = ?",
                        gateway.environment().value(),
                        gateway.id().value(),
                        device.id().value())
                .map(row -> new Member(row.get(0, Boolean.class), row.get(1, Long.class)));
    }

    static Map<String, Member> all(DSLContext sql, DeviceRef gateway) {
        Map<String, Member> members = new TreeMap<>();
        sql.fetch(
                        "select device, isolated, revision from segment_member where environment = ? and gateway = ?",
                        gateway.environment().value(),
                        gateway.id().value())
                .forEach(row -> members.put(
                        row.get(0, String.class), new Member(row.get(1, Boolean.class), row.get(2, Long.class))));
        return members;
    }

    static void put(DSLContext sql, DeviceRef gateway, String device, boolean isolated, long revision) {
        sql.execute(
                "insert into segment_member(environment, gateway, device, isolated, revision) values (?, ?, ?, ?, ?)"
                        + " on conflict (environment, gateway, device) do update set isolated = excluded.isolated,"
                        + " revision = excluded.revision",
                gateway.environment().value(),
                gateway.id().value(),
                device,
                isolated,
                revision);
    }

    static void remove(DSLContext sql, DeviceRef gateway, String device) {
        sql.execute(
                "delete from segment_member where environment = ? and gateway = ? and device = ?",
                gateway.environment().value(),
                gateway.id().value(),
                device);
    }

    /// Every gateway that something is reached through.
    static List<DeviceRef> gateways(DSLContext sql) {
        return sql.fetch("select distinct environment, reaches_via from device where reaches_via is not null")
                .map(row -> new DeviceRef(
                        new Environment(row.get(0, String.class)),
                        new dev.holdfast.core.DeviceId(row.get(1, String.class))));
    }
}
