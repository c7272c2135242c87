package dev.holdfast.attestation;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Environment;
import dev.holdfast.protocol.x509.Certificates;
import dev.holdfast.protocol.x509.X509FormatException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;
import org.jooq.Record;

/// The tables of endorsement keys, their makers' anchors, and answered challenges.
final class EndorsementStore {
    private EndorsementStore() {}

    static void putAnchor(DSLContext sql, Endorsements.Anchor anchor, Instant now) {
        sql.execute(
                "insert into tpm_anchor(environment, id, name, certificate, software, first_use, created_at)"
                        + " values (?, ?, ?, ?, ?, ?, ?) on conflict (environment, id) do update set withdrawn = false,"
                        + " name = excluded.name, software = excluded.software, first_use = excluded.first_use",
                anchor.environment().value(),
                anchor.id(),
                anchor.name(),
                Certificates.der(anchor.certificate()),
                anchor.software(),
                anchor.firstUse(),
                utc(now));
    }

    static boolean withdrawAnchor(DSLContext sql, Environment environment, String id) {
        return sql.execute(
                        "update tpm_anchor set withdrawn = true where environment = ? and id = ? and not withdrawn",
                        environment.value(),
                        id)
                == 1;
    }

    static boolean isTrusted(DSLContext sql, Environment environment, String id) {
        return sql.fetchOptional(
                        "select 1 from tpm_anchor where environment = ? and id = ? and not withdrawn for share",
                        environment.value(),
                        id)
                .isPresent();
    }

    static List<Endorsements.Anchor> anchors(DSLContext sql) {
        return sql.fetch("select environment, id, name, certificate, software, first_use from tpm_anchor"
                        + " where not withdrawn order by environment, id")
                .map(EndorsementStore::anchor);
    }

    private static Endorsements.Anchor anchor(Record row) {
        try {
            return new Endorsements.Anchor(
                    new Environment(row.get(0, String.class)),
                    row.get(1, String.class),
                    row.get(2, String.class),
                    Certificates.parse(row.get(3, byte[].class)),
                    row.get(4, Boolean.class),
                    row.get(5, Boolean.class));
        } catch (X509FormatException e) {
            throw new IllegalStateException("a stored anchor can't be read", e);
        }
    }

    /// @return whose it is now: the device's, or whose it was before
    static DeviceRef bind(DSLContext sql, Endorsements.Key key, Instant now) {
        sql.execute(
                "insert into tpm_endorsement(fingerprint, environment, device, software, origin, created_at)"
                        + " values (?, ?, ?, ?, ?, ?) on conflict (fingerprint) do nothing",
                key.fingerprint(),
                key.device().environment().value(),
                key.device().id().value(),
                key.software(),
                key.firstUse() ? "first-use" : "operator",
                utc(now));
        return find(sql, key.fingerprint()).orElseThrow().device();
    }

    /// An operator vouches for a key that is registered already, or takes it back.
    static boolean setSoftware(DSLContext sql, String fingerprint, boolean software) {
        return sql.execute(
                        "update tpm_endorsement set software = ?, origin = 'operator' where fingerprint = ?"
                                + " and (software <> ? or origin <> 'operator')",
                        software,
                        fingerprint,
                        software)
                == 1;
    }

    static Optional<Endorsements.Key> find(DSLContext sql, String fingerprint) {
        return sql.fetchOptional(
                        "select fingerprint, environment, device, software, origin from tpm_endorsement"
                                + " where fingerprint = ?",
                        fingerprint)
                .map(EndorsementStore::key);
    }

    static List<Endorsements.Key> of(DSLContext sql, DeviceRef device) {
        return sql.fetch(
                        "select fingerprint, environment, device, software, origin from tpm_endorsement"
                                + " where environment = ? and device = ? order by created_at",
                        device.environment().value(),
                        device.id().value())
                .map(EndorsementStore::key);
    }

    private static Endorsements.Key key(Record row) {
        return new Endorsements.Key(
                row.get(0, String.class),
                DeviceRef.of(row.get(1, String.class), row.get(2, String.class)),
                row.get(3, Boolean.class),
                row.get(4, String.class).equals("first-use"));
    }

    /// Uses a nonce up.
    ///
    /// @return false when it was used before
    static boolean use(DSLContext sql, String nonce, Instant expires, Instant now) {
        sql.execute("delete from tpm_nonce where expires_at < ?", utc(now.minusSeconds(60)));
        return sql.execute(
                        "insert into tpm_nonce(nonce, expires_at) values (?, ?) on conflict (nonce) do nothing",
                        nonce,
                        utc(expires))
                == 1;
    }

    static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
