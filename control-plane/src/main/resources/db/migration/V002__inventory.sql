create table model (
    environment       text not null,
    id                text not null,
    definition        jsonb not null,           -- inventory.Model, whole
    updated_at        timestamptz not null,
    primary key (environment, id)
);

create table device (
    environment       text not null,
    id                text not null,
    model             text not null,
    labels            jsonb not null default '{}',
    state             text not null check (state in
        ('registered','enrolled','active','quarantined','suspended','retired')),
    state_since       timestamptz not null,
    state_reason      text not null,
    state_until       timestamptz,              -- a time-limited isolation ends here
    state_before      text,                     -- where undo returns to
    reaches_via       text,                     -- the gateway through which it is reached
    registered_at     timestamptz not null,
    firmware          text,                     -- as the device itself reported
    firmware_at       timestamptz,
    risk              text not null default 'unknown' check (risk in ('unknown','low','medium','high','critical')),
    risk_reasons      jsonb not null default '[]',
    last_contact      timestamptz,              -- written in batches, not journalled
    primary key (environment, id),
    foreign key (environment, model) references model (environment, id)
);
create index device_state on device (environment, state, id);
create index device_model on device (environment, model, id);
create index device_labels on device using gin (labels jsonb_path_ops);
create index device_reaches_via on device (environment, reaches_via) where reaches_via is not null;
create index device_state_until on device (state_until) where state_until is not null;
