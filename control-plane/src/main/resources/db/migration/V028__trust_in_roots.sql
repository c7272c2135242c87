-- Of the devices that should learn a root: who was told by its desired state, and who has fetched the certificates
-- that carry it in (it was there to be learned; that says nothing about trust).
create table trust_invitation (
    root_sha256 text not null,
    environment text not null,
    device      text not null,
    told_at     timestamptz,
    fetched_at  timestamptz,
    primary key (root_sha256, environment, device)
);

-- Who agreed that a root goes although devices are missing, and how many there were then; two people must.
create table rollover_waiver (
    rollover text not null references rollover (id),
    person   text not null,
    reason   text not null,
    devices  bigint not null,
    at       timestamptz not null,
    primary key (rollover, person)
);
