-- What about certificates and keys was told, so that no node tells it twice and no restart tells it again.
create table certificate_concern (
    environment text not null,
    concern     text not null,
    subject     text not null,                  -- a certificate's serial, or an authority
    told_at     timestamptz not null,
    primary key (environment, concern, subject)
);

-- One row: when the certificates were last looked through. Whoever holds it does.
create table sight_turn (
    last_at timestamptz not null
);
insert into sight_turn(last_at) values ('1970-01-01T00:00:00Z');

-- Certificates with a right signature of ours that we have no record of, as evidence; bounded by the code.
create table rogue_certificate (
    fingerprint    text primary key,            -- SHA-256 of the DER
    environment    text not null,
    authority      text not null,
    serial         text not null,
    subject        text not null,               -- printable
    first_seen_at  timestamptz not null,
    last_seen_at   timestamptz not null,
    times          bigint not null,
    remote_address text not null,               -- of the last time
    der            bytea not null
);
create index rogue_certificate_environment on rogue_certificate (environment, last_seen_at desc);
