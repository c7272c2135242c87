-- Requests by SCEP that a person decides about, so that a poll finds them on every node and after a restart. One for each
-- key: a device that asks anew with the same key replaces what it asked before.
create table scep_waiting (
    environment text not null,
    key         text not null,                  -- SHA-256 of the key that signed the message: only its holder may poll
    transaction text not null,
    request     bytea not null,                 -- PKCS #10
    profile     text,
    device      text,                           -- with a one-time secret: whose
    secret      text,                           -- and the secret, sealed
    signer      bytea,                          -- with a certificate: that
    remote      text not null,                  -- address and port
    expires_at  timestamptz not null,
    primary key (environment, key)
);
create index scep_waiting_expiry on scep_waiting (expires_at);
