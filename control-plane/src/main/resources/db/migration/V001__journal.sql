-- The tamper-evident record. Entries are only ever inserted; the head moves by compare-and-set.
create table journal_entry (
    number      bigint primary key,
    at          timestamptz not null,
    kind        text not null,
    environment text not null,
    subject     text not null,
    content     text not null,
    leaf_hash   text not null,
    chain_hash  text not null
);
create index journal_entry_subject on journal_entry (subject, number desc);
create index journal_entry_kind on journal_entry (kind, number desc);

create table journal_head (
    only_one    boolean primary key default true check (only_one),
    number      bigint not null,
    chain_hash  text not null
);
insert into journal_head (number, chain_hash) values (0, repeat('0', 64));
