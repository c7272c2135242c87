package dev.holdfast.attestation;

import dev.holdfast.core.DeviceRef;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;

/// Which devices have not attested within their model's interval, and of which it was told.
final class OverdueStore {
    private static final Duration TOLD_AGAIN = Duration.ofDays(1);
    /// Counted from the last good attestation, or the registration; from when the interval was set; and from
    /// when we began to listen.
    private static final String LATE = "select d.environment, d.id as device, s.updated_at as last, p.every_s"
            + " from tpm_policy p join device d on d.environment = p.environment and d.model = p.model"
            + " left join tpm_state s on s.environment = d.environment and s.device = d.id"
            + " left join tpm_overdue o on o.environment = d.environment and o.device = d.id"
            + " where p.every_s is not null and d.state in ('enrolled','active','quarantined')"
            + " and greatest(coalesce(s.updated_at, d.registered_at), p.set_at, ?::timestamptz)"
            + " + make_interval(secs => p.every_s) < ?::timestamptz"
            + " and (o.at is null or o.at < ?::timestamptz)";

    private OverdueStore() {}

    /// @param last when it attested well; empty for one that never has
    record Overdue(DeviceRef device, Optional<Instant> last, Duration every) {}

    /// Devices that are to be told of; looked for outside of a change, because it goes through whole models.
    ///
    /// @param since when this node began to listen: what could not be heard before is nobody's fault
    static List<DeviceRef> look(DSLContext sql, Instant since, Instant now, int limit) {
        return sql.fetch(
                        LATE + " limit ?",
                        EndorsementStore.utc(since),
                        EndorsementStore.utc(now),
                        EndorsementStore.utc(now.minus(TOLD_AGAIN)),
                        limit)
                .map(row -> DeviceRef.of(row.get(0, String.class), row.get(1, String.class)));
    }

    /// Takes those of them of which it is still so and which no other node has taken.
    static List<Overdue> take(DSLContext sql, List<DeviceRef> candidates, Instant since, Instant now) {
        return sql.fetch(
                        "with late as (" + LATE
                                + " and (d.environment, d.id) in (select * from unnest(?::text[], ?::text[])))"
                                + ", told as (insert into tpm_overdue(environment, device, at)"
                                + " select environment, device, ?::timestamptz from late"
                                + " on conflict (environment, device) do update set at = excluded.at"
                                + " where tpm_overdue.at < ?::timestamptz returning environment, device)"
                                + " select late.environment, late.device, late.last, late.every_s"
                                + " from late join told using (environment, device)",
                        EndorsementStore.utc(since),
                        EndorsementStore.utc(now),
                        EndorsementStore.utc(now.minus(TOLD_AGAIN)),
                        candidates.stream().map(d -> d.environment().value()).toArray(String[]::new),
                        candidates.stream().map(d -> d.id().value()).toArray(String[]::new),
                        EndorsementStore.utc(now),
                        EndorsementStore.utc(now.minus(TOLD_AGAIN)))
                .map(row -> new Overdue(
                        DeviceRef.of(row.get(0, String.class), row.get(1, String.class)),
                        Optional.ofNullable(row.get(2, OffsetDateTime.class)).map(OffsetDateTime::toInstant),
                        Duration.ofSeconds(row.get(3, Long.class))));
    }

    /// A good attestation has come.
    ///
    /// @return whether it was told that the device is overdue
    static boolean settle(DSLContext sql, DeviceRef device) {
        return sql.execute(
                        "delete from tpm_overdue where environment = ? and device = ?",
                        device.environment().value(),
                        device.id().value())
                > 0;
    }
}
