-- What was found. Committed before the baseline that has seen it.
create table finding (
    id          bigint generated always as identity primary key,
    environment text not null,
    device      text not null,
    cause       text not null,
    severity    text not null,
    provenance  text not null,
    score       double precision not null,
    since       timestamptz not null,           -- first observation that belongs to it, as received by us
    at          timestamptz not null,
    expected    text not null,
    seen        text not null,
    incident    bigint,                         -- set when response has taken it up
    handled     boolean not null default false
);
create index finding_device on finding (environment, device, id desc);
create index finding_environment on finding (environment, id desc);
create index finding_device_since on finding (environment, device, since);
create index finding_waiting on finding (id) where not handled;

-- Checkpoints of what the detectors remember; newer in memory by some seconds.
create table baseline (
    environment text not null,
    device      text not null,
    state       bytea not null,
    at          timestamptz not null,
    primary key (environment, device)
);
