-- Who did not come in, and why: of every node, for some days. One line for a cause, a host and a device, with how
-- often; how many lines there may be is bounded by the code, for strangers too make them. Not state: it is not
-- journalled, and what is lost of it is a hint for an operator.
create table failed_attempt (
    environment    text not null,
    device         text not null,              -- one of ours that it names; empty for nobody of ours
    host           text not null,              -- IPv4 address, or the /64 of an IPv6 address
    stage          text not null,              -- HANDSHAKE, ADMISSION, ENROLMENT
    cause          text not null,
    shelf          smallint not null,          -- whose room it takes: 0 proven, 1 at home, 2 named, 3 stranger
    subject        text not null,              -- as its certificate says, the last time; proves nothing
    detail         text not null,              -- of the last time
    remote_address text not null,              -- of the last time, with the port
    first_at       timestamptz not null,
    last_at        timestamptz not null,
    times          bigint not null,
    primary key (environment, device, host, stage, cause)
);
create index failed_attempt_newest on failed_attempt (environment, last_at desc);
create index failed_attempt_oldest on failed_attempt (shelf, last_at);
create index failed_attempt_host on failed_attempt (environment, host);

-- Whence a device was heard last: by it a handshake that names nobody is told from those of strangers.
create table device_host (
    environment    text not null,
    device         text not null,
    host           text not null,
    at             timestamptz not null,
    primary key (environment, device)
);
create index device_host_host on device_host (environment, host);
create index device_host_at on device_host (at);

-- One row: when the lines past their time or number were last taken away. Whoever holds it does.
create table failed_attempt_turn (
    last_at timestamptz not null
);
insert into failed_attempt_turn(last_at) values ('1970-01-01T00:00:00Z');
