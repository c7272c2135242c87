create table notify_channel (
    id               bigint generated always as identity primary key,
    environment      text not null,
    name             text not null,
    kind             text not null check (kind in ('webhook','mail')),
    target           jsonb not null,
    secret           text,                       -- of a webhook; never shown after it was made
    kinds            jsonb not null,
    minimum_severity text not null,
    enabled          boolean not null default true,
    created_at       timestamptz not null,
    last_delivered_at timestamptz,
    last_error       text not null default '',
    unique (environment, name)
);

-- What must be told, from the moment the journal says it until the receiver has taken it.
create table notify_outbox (
    id              bigint generated always as identity primary key,
    channel         bigint not null references notify_channel (id) on delete cascade,
    entry           bigint not null,
    kind            text not null,
    payload         text not null,
    status          text not null check (status in ('WAITING','DELIVERED','DEAD')),
    attempts        int not null default 0,
    created_at      timestamptz not null,
    next_attempt_at timestamptz not null,
    lease_until     timestamptz,
    delivered_at    timestamptz,
    last_error      text not null default '',
    unique (channel, entry)
);
create index notify_outbox_due on notify_outbox (channel, id) where status = 'WAITING';
create index notify_outbox_dead on notify_outbox (channel) where status = 'DEAD';
create index notify_outbox_channel on notify_outbox (channel, id desc);

create table notify_cursor (
    only_one boolean primary key default true check (only_one),
    number   bigint not null
);
insert into notify_cursor (number) select number from journal_head;
