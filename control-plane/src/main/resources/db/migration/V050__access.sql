-- Who may operate. Secrets stand here only as hashes; names of people stand here and never in the journal.
create table account (
    id              text primary key,
    name            text not null,
    role            text not null check (role in ('viewer', 'operator', 'admin')),
    locked          boolean not null default false,
    created_at      timestamptz not null,
    last_sign_in_at timestamptz
);

create table passkey (
    id           text primary key,          -- credential id, base64url
    account      text not null references account (id),
    rp_id        text not null,             -- the host name it is bound to
    name         text not null,
    credential   bytea not null,            -- attested credential data (WebAuthn section 6.5.2): id and public key
    counter      bigint not null,
    created_at   timestamptz not null,
    last_used_at timestamptz
);
create index passkey_account on passkey (account);

create table access_link (
    id         text primary key,
    hash       text not null unique,
    purpose    text not null check (purpose in ('first-operator', 'invitation', 'new-host-name')),
    name       text,
    role       text not null check (role in ('viewer', 'operator', 'admin')),
    account    text references account (id),
    created_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);

create table api_token (
    id           text primary key,
    hash         text not null unique,
    name         text not null,
    scopes       text not null,
    account      text references account (id),
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    revoked_at   timestamptz,
    last_used_at timestamptz
);

create table operator_session (
    hash         text primary key,
    account      text not null references account (id),
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    last_seen_at timestamptz not null
);
create index operator_session_account on operator_session (account);

create table access_secret (
    only_one boolean primary key default true check (only_one),
    value    bytea not null
);

-- A WebAuthn challenge that was answered is not answered again.
create table used_challenge (
    hash       text primary key,
    expires_at timestamptz not null
);

-- Answers to writes that carried an Idempotency-Key, for 24 hours.
create table idempotent_request (
    key        text primary key,            -- hash of caller and key
    request    text not null,               -- hash of method, path and body
    status     integer,                     -- absent while the first request runs
    media_type text,
    body       text,
    created_at timestamptz not null
);
create index idempotent_request_age on idempotent_request (created_at);
