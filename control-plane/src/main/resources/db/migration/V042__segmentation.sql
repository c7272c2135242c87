-- What each gateway was last told of each device behind it, and in which revision of its desired state.
create table segment_member (
    environment text not null,
    gateway     text not null,
    device      text not null,
    isolated    boolean not null,
    revision    bigint not null,
    primary key (environment, gateway, device)
);
