package dev.holdfast.rollout;

import dev.holdfast.database.Database;
import java.util.List;

/// Reads the tables of rollouts behind the room's back.
public final class RolloutRecord {
    private RolloutRecord() {}

    /// How often devices have reported on an action.
    public static int feedback(Database database, long action) {
        return database.<Integer>read(
                sql -> sql.fetchSingle("select count(*) from rollout_feedback where action = ?", action)
                        .get(0, Integer.class));
    }

    /// Everything that must hold after a crash, as rows that break it.
    public static List<String> faults(Database database) {
        return database.read(sql -> sql.fetch("""
                            select 'undecided of rollout ' || r.id || ' is ' || r.undecided || ', counted ' || n
                              from rollout r, lateral (select count(*) n from rollout_device d where d.rollout = r.id
                                and d.state in ('offered','downloading','downloaded','installed')) c
                             where r.undecided <> n or n > r.cap
                            union all
                            select 'batch ' || b.number || ' of ' || b.rollout || ' miscounts'
                              from rollout_batch b, lateral (select
                                count(*) filter (where state = 'pending') pending,
                                count(*) filter (where state in ('offered','downloading','downloaded','installed')) u,
                                count(*) filter (where state = 'healthy') healthy,
                                count(*) filter (where state = 'failed') failed,
                                count(exposed_at) exposed
                                from rollout_device d where d.rollout = b.rollout and d.batch = b.number) c
                             where (b.pending, b.undecided, b.healthy, b.failed, b.exposed)
                                is distinct from (c.pending::int, c.u::int, c.healthy::int, c.failed::int, c.exposed::int)
                            union all
                            select 'rollout ' || r.id || ' stopped without its way back'
                              from rollout r where r.state = 'stopped' and r.previous is not null
                               and not exists (select from rollout w where w.parent = r.id)
                            union all
                            select 'rollout ' || r.id || ' stopped, its release is not halted'
                              from rollout r join firmware_release f on f.id = r.release
                             where r.state = 'stopped' and f.state <> 'halted'
                            union all
                            select 'rollout ' || r.id || ' stopped with a device undecided' from rollout r
                              join rollout_device d on d.rollout = r.id
                             where r.state in ('stopped','aborted')
                               and d.state in ('offered','downloading','downloaded','installed')
                            union all
                            select 'device ' || d.device || ' was exposed to ' || r.id || ' and is not in the way back'
                              from rollout r join rollout w on w.parent = r.id
                              join rollout_device d on d.rollout = r.id and d.exposed_at is not null
                             where not exists (select from rollout_device x
                                                where x.rollout = w.id and x.device = d.device)
                            union all
                            select 'granted but not journalled: ' || d.device from rollout_device d
                             where d.granted_at is not null and not exists (select from journal_entry j
                                where j.kind = 'rollout.device-offered' and j.subject = 'device:' || d.device
                                  and (j.content::jsonb -> 'body' ->> 'action')::bigint = d.action)
                            """).map(row -> row.get(0, String.class)));
    }
}
