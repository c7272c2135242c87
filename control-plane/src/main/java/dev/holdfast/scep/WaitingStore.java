package dev.holdfast.scep;

import dev.holdfast.core.Environment;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Optional;
import org.jooq.DSLContext;

/// The table of requests that wait for a person.
final class WaitingStore {
    private WaitingStore() {}

    /// @param device and `secret`: of a request that came with a one-time secret, which is sealed
    /// @param signer DER of the certificate that a renewal is signed by
    @SuppressWarnings("ArrayRecordComponent") // never compared
    record Row(
            byte[] request,
            Optional<String> profile,
            Optional<String> device,
            Optional<String> secret,
            Optional<byte[]> signer,
            String remote) {}

    /// Whose it is.
    ///
    /// @param key fingerprint of the key that signed the message
    record Of(Environment environment, String key, String transaction) {}

    static void put(DSLContext sql, Of whose, Row row, Instant expires) {
        sql.execute(
                "insert into scep_waiting(environment, key, transaction, request, profile, device, secret, signer,"
                        + " remote, expires_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (environment, key)"
                        + " do update set transaction = excluded.transaction, request = excluded.request,"
                        + " profile = excluded.profile, device = excluded.device, secret = excluded.secret,"
                        + " signer = excluded.signer, remote = excluded.remote, expires_at = excluded.expires_at",
                whose.environment().value(),
                whose.key(),
                whose.transaction(),
                row.request(),
                row.profile().orElse(null),
                row.device().orElse(null),
                row.secret().orElse(null),
                row.signer().orElse(null),
                row.remote(),
                utc(expires));
    }

    static Optional<Row> find(DSLContext sql, Of whose, Instant now) {
        return sql.fetchOptional(
                        "select request, profile, device, secret, signer, remote from scep_waiting"
                                + " where environment = ? and key = ? and transaction = ? and expires_at > ?",
                        whose.environment().value(),
                        whose.key(),
                        whose.transaction(),
                        utc(now))
                .map(row -> new Row(
                        row.get(0, byte[].class),
                        Optional.ofNullable(row.get(1, String.class)),
                        Optional.ofNullable(row.get(2, String.class)),
                        Optional.ofNullable(row.get(3, String.class)),
                        Optional.ofNullable(row.get(4, byte[].class)),
                        row.get(5, String.class)));
    }

    static void remove(DSLContext sql, Of whose) {
        sql.execute(
                "delete from scep_waiting where environment = ? and key = ? and transaction = ?",
                whose.environment().value(),
                whose.key(),
                whose.transaction());
    }

    static void forget(DSLContext sql, Instant now) {
        sql.execute("delete from scep_waiting where expires_at <= ?", utc(now));
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
