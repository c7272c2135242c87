-- A restore begins a new branch of the exported stream: what came after the backup stays as it left the machine.
create table journal_branch (
    id          text primary key,
    from_number bigint not null,                -- the last entry that this branch shares with the one before it
    started_at  timestamptz not null
);
