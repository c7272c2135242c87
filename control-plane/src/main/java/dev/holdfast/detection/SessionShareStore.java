package dev.holdfast.detection;

import dev.holdfast.core.DeviceRef;
import dev.holdfast.core.Serial;
import dev.holdfast.telemetry.Observation.SessionActivity;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Collection;
import java.util.List;
import org.jooq.DSLContext;

/// The tables by which nodes tell each other of sessions.
final class SessionShareStore {
    private SessionShareStore() {}

    /// Says that this node lives, and whether another does.
    static boolean greet(DSLContext sql, String node) {
        sql.execute(
                "insert into session_node(node, heard_at) values (?, clock_timestamp())"
                        + " on conflict (node) do update set heard_at = excluded.heard_at",
                node);
        return sql.fetchSingle(
                        "select exists (select from session_node where node <> ?"
                                + " and heard_at > clock_timestamp() - interval '1 minute')",
                        node)
                .get(0, Boolean.class);
    }

    static void write(DSLContext sql, String node, Collection<SessionActivity> activities) {
        int count = activities.size();
        Long[] sessions = new Long[count];
        String[][] texts = new String[6][count];
        OffsetDateTime[] times = new OffsetDateTime[count];
        int i = 0;
        for (SessionActivity a : activities) {
            sessions[i] = a.sessionId();
            texts[0][i] = a.device().environment().value();
            texts[1][i] = a.device().id().value();
            texts[2][i] = a.certificate().toString();
            texts[3][i] = a.protocol();
            texts[4][i] = a.remoteAddress();
            texts[5][i] = a.kind().name();
            times[i++] = a.receivedAt().atOffset(ZoneOffset.UTC);
        }
        sql.execute(
                "insert into session_shared(node, session, environment, device, certificate, protocol, remote, kind, at)"
                        + " select ?, u.* from unnest(?::bigint[], ?::text[], ?::text[], ?::text[], ?::text[],"
                        + " ?::text[], ?::text[], ?::timestamptz[]) u"
                        + " on conflict (node, session) do update set kind = excluded.kind, at = excluded.at,"
                        + " written_at = clock_timestamp()",
                node,
                sessions,
                texts[0],
                texts[1],
                texts[2],
                texts[3],
                texts[4],
                texts[5],
                times);
    }

    record Shared(String node, SessionActivity activity) {}

    /// What other nodes wrote within the last seconds; the same again when asked again soon.
    static List<Shared> read(DSLContext sql, String node, int seconds) {
        return sql.fetch(
                        "select node, session, environment, device, certificate, protocol, remote, kind, at"
                                + " from session_shared where node <> ?"
                                + " and written_at > clock_timestamp() - make_interval(secs => ?)"
                                + " order by at limit 50000",
                        node,
                        seconds)
                .map(row -> new Shared(
                        row.get(0, String.class),
                        new SessionActivity(
                                DeviceRef.of(row.get(2, String.class), row.get(3, String.class)),
                                row.get(8, OffsetDateTime.class).toInstant(),
                                row.get(1, Long.class),
                                new Serial(row.get(4, String.class)),
                                row.get(5, String.class),
                                row.get(6, String.class),
                                SessionActivity.Kind.valueOf(row.get(7, String.class)))));
    }

    static void forget(DSLContext sql) {
        sql.execute("delete from session_shared where written_at < clock_timestamp() - interval '1 minute'");
    }
}
