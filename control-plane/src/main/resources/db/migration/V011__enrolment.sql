-- One-time tokens, stored hashed. A token is 192 random bits, so a plain SHA-256 can't be searched.
create table enrolment_token (
    id           text primary key,
    environment  text not null,
    device       text not null,
    hash         text not null unique,
    created_at   timestamptz not null,
    expires_at   timestamptz not null,
    used_at      timestamptz,
    used_serial  text,                          -- the certificate it gave
    withdrawn_at timestamptz
);
create index enrolment_token_device on enrolment_token (environment, device);

-- Manufacturers whose initial device identities (IEEE 802.1AR) are taken as credentials.
create table manufacturer_anchor (
    id          text primary key,               -- SHA-256 of the certificate
    environment text not null,
    name        text not null,
    certificate bytea not null,
    created_at  timestamptz not null,
    withdrawn   boolean not null default false
);

-- Which product serial of which manufacturer is which of our devices.
create table manufacturer_serial (
    anchor      text not null references manufacturer_anchor (id),
    product     text not null,
    environment text not null,
    device      text not null,
    primary key (anchor, product)
);
create index manufacturer_serial_device on manufacturer_serial (environment, device);
