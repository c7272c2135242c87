-- Rollovers of authorities, planned and in an emergency.
create table rollover (
    id             text primary key,
    environment    text not null,               -- '' for a root's, which is of all environments
    kind           text not null check (kind in ('issuer','root','emergency')),
    old_authority  text not null references authority (id),
    new_authority  text not null references authority (id),
    phase          text not null check (phase in ('ready','moving','ended','abandoned')),
    reason         text not null,
    started_by     text not null,
    started_at     timestamptz not null,
    moved_at       timestamptz,
    ended_at       timestamptz,
    per_hour       int not null,                -- how fast devices are told to renew
    distrust_at    timestamptz                  -- emergency: when the old issuer is distrusted at the latest
);
create unique index rollover_open on rollover (old_authority) where phase in ('ready','moving');

-- Which device has said that it trusts which root: its configuration report names the fingerprint.
create table trust_acknowledgement (
    root_sha256     text not null,
    environment     text not null,
    device          text not null,
    acknowledged_at timestamptz not null,
    primary key (root_sha256, environment, device)
);
