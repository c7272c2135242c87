-- What may be installed: trust anchors, artifacts, signed releases.
create table firmware_key (
    environment    text not null,
    id             text not null,               -- SHA-256 of the public key's or the certificate's DER
    kind           text not null check (kind in ('manifest','swu')),
    name           text not null,
    pem            text not null,
    registered_at  timestamptz not null,
    retired_at     timestamptz,
    primary key (environment, id)
);

create table firmware_artifact (
    environment    text not null,
    sha256         text not null,               -- also the name of its file
    file_name      text not null,
    size           bigint not null,
    sha1           text not null,               -- what DDI clients compare after the transfer
    md5            text not null,
    uploaded_at    timestamptz not null,
    primary key (environment, sha256)
);

create table firmware_release (
    id               bigint generated always as identity primary key,
    environment      text not null,
    model            text not null,
    version          text not null,
    hardware         jsonb not null,
    security_counter bigint not null,
    irreversible     boolean not null,
    format           text not null check (format in ('manifest','swu')),
    signed_by        text not null,
    artifacts        jsonb not null,            -- firmware.Artifact[], what a device downloads
    state            text not null check (state in ('registered','approved','halted','withdrawn')),
    state_reason     text not null,
    registered_at    timestamptz not null,
    unique (environment, model, version)
);

-- The counter below which no release of the model is accepted any more.
create table firmware_counter_floor (
    environment    text not null,
    model          text not null,
    floor          bigint not null,
    primary key (environment, model)
);
