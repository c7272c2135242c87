-- An authority's life: made ready (published, not issuing), active, renew-only (its certificates may ask for their
-- successors and nothing else), retired (nothing depends on it any more), distrusted (its key is in wrong hands).
alter table authority drop constraint authority_state_check;
alter table authority add constraint authority_state_check
    check (state in ('requested','ready','active','renew-only','retired','distrusted'));

-- Two roots of a rollover certify each other (RFC 4210 section 4.4), so that whoever knows one believes in both.
create table authority_cross (
    subject     text not null references authority (id),
    issuer      text not null references authority (id),
    certificate bytea not null,
    primary key (subject, issuer)
);

-- What was done at the table, as its record says; the signed paper has the digest.
create table root_ceremony (
    protocol_sha256 text primary key,
    kind            text not null,
    held_at         timestamptz not null,
    people          text not null,              -- one a line
    root_subject    text not null,
    root_sha256     text not null,
    threshold       int not null,
    shares          int not null,
    signed_sha256   text not null,              -- certificates signed, one a line
    recorded_by     text not null,
    recorded_at     timestamptz not null
);
