package dev.holdfast.revocation;

import dev.holdfast.ca.CertificateStanding;
import dev.holdfast.ca.CertificateState;
import dev.holdfast.ca.ListName;
import dev.holdfast.ca.RevocationReason;
import dev.holdfast.core.Serial;
import dev.holdfast.database.PlainSql;
import dev.holdfast.protocol.crl.RevocationListFrame;
import java.sql.SQLException;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jooq.DSLContext;

/// What of the table of certificates goes into lists.
final class RevocationStore {
    private static final int ENDED = 2;
    private static final int RELEASED = 3;

    private RevocationStore() {}

    /// Takes the entries of a list, one after another.
    interface Entries {
        void add(byte[] entry);

        /// A certificate that is superseded, but still counts beside its successor until then.
        void until(Instant endsAt);
    }

    /// Everything that does not count, of certificates that ended after this time (RFC 5280 section 3.3: an
    /// entry stays until a list after the certificate's end). In one transaction, because a long answer is
    /// read in pages.
    ///
    /// @param stolen when the authority's key was known to be in wrong hands: nothing that it issued counts
    static void complete(
            DSLContext sql,
            ListName list,
            Instant endingAfter,
            Instant now,
            Optional<Instant> stolen,
            Entries entries) {
        read(
                sql,
                list,
                now,
                stolen,
                stolen.isPresent() ? "" : " and (state in ('superseded','revoked') or held)",
                new Object[] {list.authority(), endingAfter},
                entries);
    }

    /// What has changed since, in either direction (section 5.2.4).
    static void changed(
            DSLContext sql,
            ListName list,
            Instant endingAfter,
            Instant since,
            Instant now,
            Optional<Instant> stolen,
            Entries entries) {
        if (stolen.filter(at -> at.isAfter(since)).isPresent()) {
            complete(sql, list, endingAfter, now, stolen, entries);
            return;
        }
        read(
                sql,
                list,
                now,
                stolen,
                " and (ended_at is not null or released_at is not null) and greatest(ended_at, released_at) > ?",
                new Object[] {list.authority(), endingAfter, since},
                entries);
    }

    private static void read(
            DSLContext sql,
            ListName list,
            Instant now,
            Optional<Instant> stolen,
            String condition,
            Object[] bindings,
            Entries entries) {
        // The part stands in the text as the number it is, so that the partial indexes are used.
        String part = list.part() == 0 ? "" : " and crl_part = " + list.part();
        PlainSql.each(
                sql,
                "select serial, ended_at, released_at, state, held, revocation_reason from certificate"
                        + " where authority = ? and not_after > ?" + part + condition,
                row -> entry(row, now, stolen, entries),
                bindings);
    }

    private static void entry(PlainSql.Row row, Instant now, Optional<Instant> stolen, Entries entries)
            throws SQLException {
        Serial serial = new Serial(row.text(1));
        CertificateState state = CertificateState.of(row.text(4));
        boolean held = row.flag(5);
        if (stolen.isPresent() && state != CertificateState.REVOKED) {
            entries.add(
                    RevocationListFrame.entry(serial.number(), stolen.get(), RevocationReason.CA_COMPROMISE.code()));
            return;
        }
        if (state == CertificateState.SUPERSEDED && !held && at(row, ENDED).isAfter(now)) {
            entries.until(at(row, ENDED));
            return;
        }
        if (state.counts() && !held) {
            entries.add(
                    RevocationListFrame.entry(serial.number(), at(row, RELEASED), RevocationListFrame.REMOVE_FROM_CRL));
            return;
        }
        RevocationReason reason =
                CertificateStanding.endedBecause(state, row.optionalText(6).flatMap(RevocationReason::parse));
        entries.add(RevocationListFrame.entry(serial.number(), at(row, ENDED), reason.code()));
    }

    private static Instant at(PlainSql.Row row, int column) throws SQLException {
        return row.optionalTime(column).orElse(Instant.EPOCH);
    }

    /// The last part that certificates were given a place in.
    static long lastPart(DSLContext sql) {
        return sql.fetchSingle("select coalesce(max(last_value), 0) / 1024 from certificate_place where is_called")
                .get(0, Long.class);
    }

    /// Everything that URLs in certificates have begun with, this one first.
    static List<String> urls(DSLContext sql, String now, Instant at) {
        sql.execute("insert into pki_url(url, first_used_at) values (?, ?) on conflict (url) do nothing", now, utc(at));
        List<String> all = new ArrayList<>(List.of(now));
        sql.fetch("select url from pki_url where url <> ? order by first_used_at desc limit 15", now)
                .forEach(row -> all.add(row.get(0, String.class)));
        return all;
    }

    private static OffsetDateTime utc(Instant at) {
        return at.atOffset(ZoneOffset.UTC);
    }
}
