-- Transactions of CMP (RFC 9810 section 5.1.1). They are in the database so that a crash or another node loses none,
-- and stay for as long as the credential that opened them could open another: a message that is sent again finds its
-- transaction here and is refused.
create table cmp_transaction (
    environment   text not null,
    id            text not null,                -- transactionID, hexadecimal
    party         text not null,                -- whose messages it is made of: secret:..., certificate:..., manufacturer:...
    opening_nonce text not null,                -- the senderNonce that opened it
    awaited_nonce text not null,                -- ours, which the next message must bring
    state         text not null check (state in ('deciding','held','issued','confirmed','ended')),
    kind          text not null,                -- initialization, certification, key-update, pkcs10, revocation
    request_id    bigint not null,              -- certReqId
    request       bytea,                        -- CertReqMsg or PKCS #10, while it may have to be decided (again)
    profile       text,
    implicit      boolean not null,             -- no certConf is awaited
    serial        text,                         -- the certificate that it gave
    opened_at     timestamptz not null,
    confirm_by    timestamptz not null,         -- what is not confirmed, or decided, by then ends
    forget_at     timestamptz not null,
    primary key (environment, id)
);
create unique index cmp_transaction_nonce on cmp_transaction (environment, party, opening_nonce);
create index cmp_transaction_party on cmp_transaction (environment, party, opened_at);
create index cmp_transaction_unconfirmed on cmp_transaction (confirm_by) where state in ('deciding','held','issued');
create index cmp_transaction_serial on cmp_transaction (serial) where serial is not null;
create index cmp_transaction_forget on cmp_transaction (forget_at);
