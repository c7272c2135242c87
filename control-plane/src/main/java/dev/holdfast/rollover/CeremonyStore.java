package dev.holdfast.rollover;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.List;
import org.jooq.DSLContext;

/// The table of ceremonies.
final class CeremonyStore {
    private CeremonyStore() {}

    static boolean insert(DSLContext sql, CeremonyRecord record, String by, Instant now) {
        return sql.execute(
                        "insert into root_ceremony(protocol_sha256, kind, held_at, people, root_subject, root_sha256,"
                                + " threshold, shares, signed_sha256, recorded_by, recorded_at)"
                                + " values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing",
                        record.protocolSha256(),
                        record.kind(),
                        record.at().atOffset(ZoneOffset.UTC),
                        String.join("\n", record.people()),
                        record.rootSubject(),
                        record.rootSha256(),
                        record.threshold(),
                        record.shares(),
                        String.join("\n", record.signedSha256()),
                        by,
                        now.atOffset(ZoneOffset.UTC))
                == 1;
    }

    static List<CeremonyRecord> all(DSLContext sql) {
        return sql.fetch("select kind, held_at, people, root_subject, root_sha256, threshold, shares, signed_sha256,"
                        + " protocol_sha256 from root_ceremony order by held_at desc, protocol_sha256 limit 500")
                .map(row -> new CeremonyRecord(
                        row.get(0, String.class),
                        row.get(1, OffsetDateTime.class).toInstant(),
                        row.get(2, String.class).lines().toList(),
                        row.get(3, String.class),
                        row.get(4, String.class),
                        row.get(5, Integer.class),
                        row.get(6, Integer.class),
                        row.get(7, String.class).lines().toList(),
                        row.get(8, String.class)));
    }
}
