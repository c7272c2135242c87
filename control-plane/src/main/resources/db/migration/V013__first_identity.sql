-- What becomes of a manufacturer's products whose serial nobody has registered: refused, or put before a person.
alter table manufacturer_anchor add column unregistered text not null default 'refused'
    check (unregistered in ('refused','held'));

-- Which product a request is of that waits for a person to say which device it is.
create table held_product (
    request text primary key references held_request (id) on delete cascade,
    anchor  text not null references manufacturer_anchor (id),
    product text not null
);

-- Batches of devices that claim their certificates with a certificate that they share. Its key is not here.
create table claim_batch (
    id          text primary key,
    environment text not null,
    name        text not null,
    certificate bytea not null,
    fingerprint text not null unique,           -- SHA-256 of the certificate
    profile     text not null,
    model       text not null,
    labels      text not null,                  -- as JSON
    id_pattern  text,                           -- '*' stands for any characters; null where the devices are listed
    most        integer not null,
    used        integer not null default 0,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    closed_at   timestamptz,
    check (used between 0 and most)
);
create index claim_batch_environment on claim_batch (environment, created_at);

-- The devices of a batch that names them.
create table claim_device (
    batch  text not null references claim_batch (id),
    device text not null,
    primary key (batch, device)
);

-- Which devices have claimed: once each.
create table claim_use (
    batch   text not null references claim_batch (id),
    device  text not null,
    serial  text not null,                      -- the certificate it got
    at      timestamptz not null,
    primary key (batch, device)
);
