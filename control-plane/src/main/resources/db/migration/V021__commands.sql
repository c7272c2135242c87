-- What each device should be, and how far it is known to have come.
create table desired_state (
    environment       text not null,
    device            text not null,
    revision          bigint not null check (revision > 0),
    desired           jsonb not null,
    changed_at        timestamptz not null,
    reason            text not null,
    delivered         bigint not null default 0,   -- the last revision that the device acknowledged receiving
    delivered_at      timestamptz,
    applied           bigint not null default 0,   -- the last revision that it said it applied
    applied_at        timestamptz,
    primary key (environment, device)
);
