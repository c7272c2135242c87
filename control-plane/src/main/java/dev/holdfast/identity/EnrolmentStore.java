package dev.holdfast.identity;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.core.Serial;
import dev.holdfast.database.PlainSql;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of tokens and manufacturers.
final class EnrolmentStore {
    private EnrolmentStore() {}

    /// @param usedSerial the certificate it gave
    record Token(String id, DeviceRef device, Instant expiresAt, Optional<Serial> usedSerial, boolean withdrawn) {}

    static void insertToken(DSLContext sql, String id, DeviceRef device, String hash, Instant now, Instant expires) {
        sql.execute(
                "insert into enrolment_token(id, environment, device, hash, created_at, expires_at)"
                        + " values (?, ?, ?, ?, ?, ?)",
                id,
                device.environment().value(),
                device.id().value(),
                hash,
                utc(now),
                utc(expires));
    }

    static Optional<Token> lockToken(DSLContext sql, String hash) {
        return PlainSql.first(
                sql,
                "select id, environment, device, expires_at, used_serial, withdrawn_at is not null"
                        + " from enrolment_token where hash = ? for update",
                row -> new Token(
                        row.text(1),
                        DeviceRef.of(row.text(2), row.text(3)),
                        row.time(4),
                        row.optionalText(5).map(Serial::new),
                        row.flag(6)),
                hash);
    }

    static void useToken(DSLContext sql, String id, Serial serial, Instant now) {
        PlainSql.execute(
                sql, "update enrolment_token set used_at = ?, used_serial = ? where id = ?", now, serial.hex(), id);
    }

    static void withdrawTokens(DSLContext sql, DeviceRef device, Instant now) {
        sql.execute(
                "update enrolment_token set withdrawn_at = ? where environment = ? and device = ?"
                        + " and used_at is null and withdrawn_at is null",
                utc(now),
                device.environment().value(),
                device.id().value());
    }

    static void putAnchor(DSLContext sql, Manufacturers.Anchor anchor, Instant now) {
        sql.execute(
                "insert into manufacturer_anchor(id, environment, name, certificate, unregistered, created_at)"
                        + " values (?, ?, ?, ?, ?, ?) on conflict (id) do update set withdrawn = false,"
                        + " name = excluded.name, unregistered = excluded.unregistered",
                anchor.id(),
                anchor.environment().value(),
                anchor.name(),
                Certificates.der(anchor.certificate()),
                anchor.unregistered().text(),
                utc(now));
    }

    static boolean withdrawAnchor(DSLContext sql, String id) {
        return sql.execute("update manufacturer_anchor set withdrawn = true where id = ? and not withdrawn", id) == 1;
    }

    static List<Manufacturers.Anchor> anchors(DSLContext sql) {
        return sql.fetch(
                        "select id, environment, name, certificate, unregistered from manufacturer_anchor where not withdrawn"
                                + " order by id")
                .map(EnrolmentStore::anchor);
    }

    static void putSerial(DSLContext sql, String anchor, String product, DeviceRef device) {
        sql.execute(
                "insert into manufacturer_serial(anchor, product, environment, device) values (?, ?, ?, ?)"
                        + " on conflict (anchor, product) do nothing",
                anchor,
                product,
                device.environment().value(),
                device.id().value());
    }

    static Optional<DeviceRef> deviceOf(DSLContext sql, String anchor, String product) {
        return sql.fetchOptional(
                        "select s.environment, s.device from manufacturer_serial s join manufacturer_anchor a on"
                                + " a.id = s.anchor where s.anchor = ? and s.product = ? and not a.withdrawn",
                        anchor,
                        product)
                .map(row -> DeviceRef.of(row.get(0, String.class), row.get(1, String.class)));
    }

    private static Manufacturers.Anchor anchor(Record row) {
        try {
            return new Manufacturers.Anchor(
                    row.get(0, String.class),
                    new Environment(row.get(1, String.class)),
                    row.get(2, String.class),
                    Certificates.parse(row.get(3, byte[].class)),
                    Manufacturers.Unregistered.parse(row.get(4, String.class)).orElseThrow());
        } catch (X509FormatException e) {
            throw new IllegalStateException("a stored anchor can't be read", e);
        }
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
