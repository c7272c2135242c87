-- Measurements, rolled up. Rows are only appended: one bucket may stand in several rows (one for each flush), and
-- whoever reads adds them up. So a flush is a COPY, without conflicts, whichever node the device is connected to.
create table measurement_minute (
    environment text not null,
    device      text not null,
    metric      text not null,
    bucket      timestamptz not null,
    count       bigint not null,
    min         double precision not null,
    max         double precision not null,
    sum         double precision not null,
    last        double precision not null,
    last_at     timestamptz not null,
    imported    boolean not null
);
create index measurement_minute_device on measurement_minute (environment, device, bucket);
create index measurement_minute_bucket on measurement_minute using brin (bucket);

create table measurement_hour (like measurement_minute including defaults);
create index measurement_hour_device on measurement_hour (environment, device, bucket);
create index measurement_hour_bucket on measurement_hour using brin (bucket);

-- Hours before this moment have been added up from their minutes; what arrives later for them goes to both tables.
create table measurement_rollup (
    only_one    boolean primary key default true check (only_one),
    hours_until timestamptz not null
);
insert into measurement_rollup (hours_until) values (date_trunc('hour', now()));

create table log_line (
    number      bigint generated always as identity primary key,
    environment text not null,
    device      text not null,
    at          timestamptz not null,
    severity    smallint not null check (severity between 0 and 7),  -- RFC 5424 section 6.2.1
    text        text not null
);
create index log_line_device on log_line (environment, device, at desc, number desc);
create index log_line_time on log_line (environment, at desc, number desc);

create table device_event (
    number      bigint generated always as identity primary key,
    environment text not null,
    device      text not null,
    at          timestamptz not null,
    name        text not null,
    details     jsonb not null
);
create index device_event_device on device_event (environment, device, at desc, number desc);
create index device_event_time on device_event (environment, at desc, number desc);

-- The last configuration each device reported.
create table reported_configuration (
    environment text not null,
    device      text not null,
    at          timestamptz not null,
    settings    jsonb not null,
    primary key (environment, device)
);
