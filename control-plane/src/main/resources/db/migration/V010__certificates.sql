-- Certification authorities: keys live outside the database, under key_name.
create table authority (
    id           text primary key,              -- also its name in CRL and CA URLs: root-1, device-production-2
    purpose      text not null check (purpose in ('root','device','server')),
    environment  text not null,                 -- '' for those that serve all environments
    generation   int not null,
    key_name     text not null,
    request      text,                          -- PKCS #10, PEM, while a root of the user's own has not answered
    certificate  bytea,                         -- DER, absent while requested
    issuer_chain bytea,                         -- DER certificates above it, where its root is not ours
    development  boolean not null,
    state        text not null check (state in ('requested','active','retired')),
    created_at   timestamptz not null,
    unique (purpose, environment, generation)
);

-- Every certificate that was ever meant to be issued. The row with its serial is there before anything is signed.
create table certificate (
    serial            text primary key,
    authority         text not null references authority (id),
    profile           text not null,
    environment       text not null,
    device            text,                     -- null for our own listeners
    name              text not null,            -- common name
    alternative_names text not null,            -- one a line, with kind: URI:..., DNS:..., IP:...
    public_key        bytea not null,           -- SubjectPublicKeyInfo
    key_fingerprint   text not null,
    state             text not null check (state in ('intended','pending','current','superseded','revoked')),
    held              boolean not null default false,
    not_before        timestamptz not null,
    not_after         timestamptz not null,
    intended_at       timestamptz not null,
    granted_by        text not null,            -- the credential that asked: token, manufacturer, renewal, holdfast
    issued_at         timestamptz,
    activated_at      timestamptz,
    ended_at          timestamptz,              -- superseded, held or revoked
    revocation_reason text,
    der               bytea
);
create index certificate_device on certificate (environment, device, issued_at);
create index certificate_key on certificate (key_fingerprint);
create index certificate_expiry on certificate (environment, not_after) where state in ('pending','current');
create index certificate_intended on certificate (intended_at) where state = 'intended';
create index certificate_revoked on certificate (authority, not_after)
    where state in ('superseded','revoked') or held;

-- A key belongs to one device for ever.
create table device_key (
    key_fingerprint text primary key,
    environment     text not null,
    device          text not null
);
