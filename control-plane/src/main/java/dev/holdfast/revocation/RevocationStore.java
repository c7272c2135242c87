package dev.holdfast.revocation;

import dev.holdfast.ca.CertificateStanding;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Serial;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;

/// What of the table of certificates goes into lists.
final class RevocationStore {
    private RevocationStore() {}

    record Revoked(Serial serial, Instant at, RevocationReason reason) {}

    /// What the list of this authority must hold (RFC 5280 section 5: until a certificate has expired).
    static List<Revoked> revoked(DSLContext sql, String authority, Instant now) {
        return sql.fetch(
                        "select serial, ended_at, state, revocation_reason from certificate"
                                + " where authority = ? and not_after > ? and (state = 'revoked' or held or"
                                + " (state = 'superseded' and ended_at <= ?)) order by serial",
                        authority,
                        now.atOffset(ZoneOffset.UTC),
                        now.atOffset(ZoneOffset.UTC))
                .map(row -> new Revoked(
                        new Serial(row.get(0, String.class)),
                        row.get(1, OffsetDateTime.class).toInstant(),
                        CertificateStanding.endedBecause(
                                CertificateState.of(row.get(2, String.class)),
                                Optional.ofNullable(row.get(3, String.class)).flatMap(RevocationReason::parse))));
    }
}
