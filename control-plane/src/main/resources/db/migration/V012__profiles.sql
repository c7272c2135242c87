-- What certificates of each kind are like, and who may have one; JSON as the API takes it.
create table certificate_profile (
    environment text not null,
    name        text not null,
    content     text not null,
    changed_at  timestamptz not null,
    primary key (environment, name)
);

-- What the key of a certificate may be used for: fixed when it is intended, whatever the profile becomes.
alter table certificate add column usages text not null default 'tls-client';
update certificate set usages = 'tls-server' where device is null;

-- Secrets that both sides know and neither sends (CMP, ACME account binding). The secret itself is derived from the
-- installation's and the id, so that nothing here helps whoever reads it.
create table shared_secret (
    id           text primary key,
    environment  text not null,
    device       text not null,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    used_at      timestamptz,
    used_by      text,                          -- the certificate's serial, or the account, that it gave
    withdrawn_at timestamptz
);
create index shared_secret_device on shared_secret (environment, device);

-- Requests for certificates that wait for a person.
create table held_request (
    id              text primary key,
    environment     text not null,
    device          text not null,              -- '' while nobody has said which device it is
    key_fingerprint text not null,
    cause           text not null,              -- why a person decides: profile, late-renewal, unregistered-serial
    credential      text not null,              -- by what it was asked: token, manufacturer, certificate...
    detail          text not null,              -- what is known of the asker, for the person
    state           text not null check (state in ('waiting','approved','refused')),
    first_asked_at  timestamptz not null,
    last_asked_at   timestamptz not null,
    times_asked     bigint not null,
    decided_at      timestamptz,
    decided_by      text,
    reason          text,
    expires_at      timestamptz not null
);
create unique index held_request_asker on held_request (environment, device, key_fingerprint, cause);
create index held_request_waiting on held_request (environment, first_asked_at) where state = 'waiting';
