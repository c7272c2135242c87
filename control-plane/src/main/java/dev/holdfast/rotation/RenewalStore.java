package dev.holdfast.rotation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;

/// Who is to be told to renew: the renewal columns of the table of certificates.
final class RenewalStore {
    static final String COUNTS = "device is not null and state in ('pending','current') and not held";

    private RenewalStore() {}

    /// A device that is to be told.
    record Due(DeviceRef device, Serial certificate, Instant renewAt) {}

    static Optional<Instant> renewAt(DSLContext sql, Serial serial) {
        return sql.fetchOptional("select renew_at from certificate where serial = ? and " + COUNTS, serial.hex())
                .map(row -> row.get(0, OffsetDateTime.class))
                .map(OffsetDateTime::toInstant);
    }

    /// The turn to tell devices, for this transaction alone.
    ///
    /// @return up to when the rate has been used, at most `longest` ago; empty when another node has the turn
    static Optional<Instant> takeTurn(DSLContext sql, Instant now, Duration longest) {
        return sql.fetchOptional("select last_at from renewal_turn for update skip locked")
                .map(row -> row.get(0, OffsetDateTime.class).toInstant())
                .map(last -> last.isBefore(now.minus(longest)) ? now.minus(longest) : last)
                .filter(last -> last.isBefore(now));
    }

    static void turnTaken(DSLContext sql, Instant usedUpTo) {
        sql.execute("update renewal_turn set last_at = ?", utc(usedUpTo));
    }

    static List<Due> due(DSLContext sql, Instant now, int limit) {
        return sql.fetch(
                        "select environment, device, serial, renew_at from certificate where renew_at <= ?"
                                + " and told_at is null and state = 'current' and not held and device is not null"
                                + " and not exists (select 1 from renewal_campaign k where k.id = renewal_campaign"
                                + " and k.stopped_at is not null)"
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

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
