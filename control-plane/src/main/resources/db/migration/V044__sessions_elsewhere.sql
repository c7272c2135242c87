-- What the nodes tell each other of sessions, so that a clone on another node is seen. Of the last minute only, and
-- worth nothing after a crash: unlogged.
create unlogged table session_shared (
    node        text not null,
    session     bigint not null,
    environment text not null,
    device      text not null,
    certificate text not null,
    protocol    text not null,
    remote      text not null,
    kind        text not null,
    at          timestamptz not null,           -- of the activity, by the node's clock
    written_at  timestamptz not null default clock_timestamp(),
    primary key (node, session)
);
create index session_shared_written on session_shared (written_at);

create unlogged table session_node (
    node        text primary key,
    heard_at    timestamptz not null
);
