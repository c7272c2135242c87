-- The one switch, and the number of the last stop that nodes must confirm.
create table rollout_switch (
    only_one       boolean primary key default true check (only_one),
    enabled        boolean not null,
    reason         text not null,
    changed_at     timestamptz not null,
    stop_sequence  bigint not null
);
insert into rollout_switch (enabled, reason, changed_at, stop_sequence) values (true, 'as installed', now(), 0);

-- A grant is one conditional update of this row, a stop another: so all that a grant depends on stands here.
create table rollout (
    id               bigint generated always as identity primary key,
    environment      text not null,
    model            text not null,
    plan             jsonb not null,            -- rollout.Plan, whole
    release          bigint not null references firmware_release (id),
    previous         bigint references firmware_release (id),
    kind             text not null check (kind in ('update','way_back')),
    parent           bigint references rollout (id),
    healing          boolean not null,
    state            text not null check (state in ('running','paused','stopped','aborted','finished')),
    state_reason     text not null,
    state_since      timestamptz not null,
    epoch            bigint not null,
    frozen           boolean not null,          -- the global switch is off
    batch            int not null,
    batch_since      timestamptz not null,
    cap              int not null,
    undecided        int not null default 0 check (undecided >= 0),
    stop_sequence    bigint not null default 0,
    stopped_at       timestamptz,
    stop_complete_at timestamptz,
    created_at       timestamptz not null
);
create index rollout_active on rollout (environment, model) where state in ('running','paused');
create index rollout_stopping on rollout (id) where stopped_at is not null and stop_complete_at is null;

create table rollout_device (
    rollout        bigint not null references rollout (id),
    environment    text not null,
    device         text not null,
    action         bigint generated always as identity,
    batch          int not null,
    state          text not null check (state in ('pending','offered','downloading','downloaded','installed',
                       'healthy','failed','withdrawn','recalled','skipped')),
    granted_at     timestamptz,
    deadline       timestamptz,                 -- undecided past this is a failure
    exposed_at     timestamptz,                 -- the whole image was downloaded
    installed_at   timestamptz,
    reported_at    timestamptz,                 -- the device first said that it runs the release
    decided_at     timestamptz,
    reason         text,
    cancel         text check (cancel in ('asked','confirmed','refused')),
    primary key (rollout, device)
);
create unique index rollout_device_action on rollout_device (action);
create unique index rollout_device_one_undecided on rollout_device (environment, device)
    where state in ('offered','downloading','downloaded','installed');
create index rollout_device_cancel on rollout_device (rollout) where cancel = 'asked';
create index rollout_device_batch on rollout_device (rollout, batch, state);

-- Counts of rollout_device, kept in step with it under the lock of the rollout's row.
create table rollout_batch (
    rollout        bigint not null references rollout (id),
    number         int not null,
    pending        int not null default 0,
    undecided      int not null default 0,
    healthy        int not null default 0,
    failed         int not null default 0,
    withdrawn      int not null default 0,
    recalled       int not null default 0,
    skipped        int not null default 0,
    exposed        int not null default 0,
    primary key (rollout, number)
);

-- What devices said of their actions: bounded in number and length by the writer.
create table rollout_feedback (
    action         bigint not null,
    number         int not null,
    at             timestamptz not null,
    execution      text not null,
    result         text not null,
    details        text not null,
    primary key (action, number)
);

-- Nodes that may serve bytes: a lease ends 2 s after renewed_at, whatever happens.
create table rollout_node (
    node           text primary key,
    renewed_at     timestamptz not null,
    confirmed      bigint not null              -- the last stop that this node has put into effect
);

create table rollout_bytes (
    rollout        bigint not null references rollout (id),
    node           text not null,
    bytes          bigint not null,
    last_byte_at   timestamptz,
    after_stop     bigint not null default 0,   -- of them, after the stop was complete: must stay 0
    primary key (rollout, node)
);

create table rollout_window (
    environment    text not null,
    site           text not null,
    windows        jsonb not null,              -- rollout.MaintenanceWindow[]
    primary key (environment, site)
);
