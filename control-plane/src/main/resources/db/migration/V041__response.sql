create table incident (
    id              bigint generated always as identity primary key,
    environment     text not null,
    subject         text not null,              -- device:m-1, rollout:42
    family          text not null,
    status          text not null check (status in ('OPEN','ACKNOWLEDGED','CLOSED')),
    severity        text not null,
    provenance      text not null,
    causes          jsonb not null,
    summary         text not null,
    opened_at       timestamptz not null,
    updated_at      timestamptz not null,
    first_observed_at timestamptz not null,
    last_finding_at timestamptz not null,
    findings        int not null,
    evidence        jsonb not null,
    acknowledged    jsonb,
    closed          jsonb
);
create unique index incident_one_open on incident (environment, subject, family) where status <> 'CLOSED';
create index incident_subject on incident (environment, subject, id desc);
create index incident_environment on incident (environment, id desc);
create index incident_open on incident (environment, id desc) where status <> 'CLOSED';

create table response_action (
    id              bigint generated always as identity primary key,
    incident        bigint references incident (id),
    environment     text not null,
    device          text not null,
    site            text,                       -- as labelled when it was decided
    kind            text not null check (kind in ('QUARANTINE','SUSPEND')),
    status          text not null,
    reason          text not null,
    waits_because   text not null default '',
    actor           text not null,
    automatic       boolean not null,
    duration_s      bigint not null,            -- the time limit, counted from when it comes into force
    until           timestamptz,
    state_before    text,
    first_observed_at timestamptz,
    finding_at      timestamptz,
    intent_at       timestamptz not null,
    session_cut_at  timestamptz,
    network_enforced_at timestamptz,
    weight          int not null,
    legs            jsonb not null,
    settled         boolean not null default false, -- no leg is pending any more
    approved        jsonb,
    ended           jsonb
);
create index response_action_incident on response_action (incident, id desc);
create index response_action_device on response_action (environment, device, id desc);
create index response_action_environment on response_action (environment, id desc);
create index response_action_window on response_action (environment, intent_at) where automatic;
create unique index response_action_one_live on response_action (environment, device, kind)
    where status in ('AWAITING_APPROVAL','IN_FORCE');
create index response_action_unsettled on response_action (id) where not settled;
create index response_action_until on response_action (until) where status = 'IN_FORCE';

-- One row for each environment, locked while a limit is counted, so that two nodes can't both take the last place.
create table response_policy (
    environment     text primary key,
    share           double precision not null,
    most            int not null,
    window_s        bigint not null,
    never_isolate   jsonb not null default '[]',
    revision        bigint not null default 1
);

-- How far this room has read the journal.
create table response_cursor (
    only_one boolean primary key default true check (only_one),
    number   bigint not null
);
insert into response_cursor (number) select number from journal_head;
