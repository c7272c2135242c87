-- A restore starts frozen: a row here means no issuance and no offers, on every node.
create table installation_freeze (
    only_one      boolean primary key default true check (only_one),
    since         timestamptz not null,
    reason        text not null,
    backup_number bigint not null,              -- the last journal entry that the backup holds
    merge_ready   boolean not null default false -- the stream that left the machine stands in freeze_pending
);

-- Who accepts the loss of what came after the backup; the second, different person lifts the freeze.
create table freeze_acceptance (
    account   text primary key,
    statement text not null,
    at        timestamptz not null
);

-- Entries newer than the backup, from the stream that left the machine, to be applied again at the next start.
create table freeze_pending (
    number     bigint not null,
    at         timestamptz not null,
    content    text not null,
    leaf_hash  text not null,
    chain_hash text not null,
    primary key (number, chain_hash)            -- an earlier restore may have left two branches
);
