-- Nonces that were used: a nonce is signed and ends by itself, so only these have to be remembered, until they end.
create table acme_nonce (
    nonce      text primary key,
    expires_at timestamptz not null
);
create index acme_nonce_expiry on acme_nonce (expires_at);

-- An account is a key that a shared secret of the device has bound to it (external account binding).
create table acme_account (
    id             text primary key,
    environment    text not null,
    device         text not null,
    profile        text not null,               -- whose directory it was made in
    thumbprint     text not null,               -- RFC 7638, SHA-256
    key            text not null,               -- JSON Web Key
    secret_id      text not null unique,        -- that bound it
    state          text not null check (state in ('valid','deactivated')),
    created_at     timestamptz not null,
    deactivated_at timestamptz,
    unique (environment, profile, thumbprint)
);
create index acme_account_device on acme_account (environment, device);

create table acme_order (
    id           text primary key,
    account      text not null references acme_account (id),
    state        text not null check (state in ('pending','ready','processing','valid','invalid')),
    identifiers  text not null,                 -- one a line: dns:gw-1.example.org, permanent-identifier:gw-1
    replaces     text,                          -- RFC 9773: the certificate that this order's is to replace
    expires_at   timestamptz not null,
    created_at   timestamptz not null,
    request      bytea,                         -- PKCS #10, once finalized
    finalized_from text,                        -- address and port, for the record of a refusal; gone when settled
    serial       text,                          -- the certificate
    problem      text                           -- why it became invalid, as the client is told
);
create index acme_order_account on acme_order (account, created_at);
-- One certificate is replaced by one order that goes on or went well.
create unique index acme_order_replaces on acme_order (replaces) where state <> 'invalid';

create table acme_authorization (
    id         text primary key,
    order_id   text not null references acme_order (id) on delete cascade,
    identifier text not null,
    state      text not null check (state in ('pending','valid','invalid','deactivated')),
    expires_at timestamptz not null
);
create index acme_authorization_order on acme_authorization (order_id);

create table acme_challenge (
    id               text primary key,
    authorization_id text not null references acme_authorization (id) on delete cascade,
    type             text not null,
    token            text not null,
    state            text not null check (state in ('pending','processing','valid','invalid')),
    answered_at      timestamptz,               -- when it was last begun to be looked at
    validated_at     timestamptz,
    problem          text,
    attested_key     text,                      -- device-attest-01: the fingerprint of the key that the evidence is about
    attested_as      text                       -- and what sort of evidence it was
);
create index acme_challenge_authorization on acme_challenge (authorization_id);
