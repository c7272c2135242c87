-- Makers of TPMs whose endorsement certificates count.
create table tpm_anchor (
    environment text not null,
    id          text not null,                  -- SHA-256 of the certificate
    name        text not null,
    certificate bytea not null,
    software    boolean not null,               -- it certifies programs that imitate a TPM
    first_use   boolean not null,               -- its TPMs may claim registered devices that have no endorsement key yet
    created_at  timestamptz not null,
    withdrawn   boolean not null default false,
    primary key (environment, id)
);

-- An endorsement key belongs to one device for ever.
create table tpm_endorsement (
    fingerprint text primary key,               -- SHA-256 of its SubjectPublicKeyInfo
    environment text not null,
    device      text not null,
    software    boolean not null,               -- nobody has said that it is in a real TPM
    origin      text not null check (origin in ('operator','first-use')),
    created_at  timestamptz not null
);
create index tpm_endorsement_device on tpm_endorsement (environment, device);

-- Challenges that were answered, until they would be too old anyway.
create table tpm_nonce (
    nonce      text primary key,
    expires_at timestamptz not null
);
create index tpm_nonce_expiry on tpm_nonce (expires_at);

-- The attestation key of each device, and how far its TPM's life has got.
create table tpm_state (
    environment text not null,
    device      text not null,
    endorsement text not null,                  -- fingerprint
    software    boolean not null,               -- it is a program, or nothing said that it is not
    attestation text not null,                  -- TPMT_PUBLIC, hexadecimal
    attestation_name text not null,             -- its name, hexadecimal
    genuine     boolean not null,               -- the numbers are the TPM's own, not shifted for this key
    clock       bigint not null,
    resets      bigint not null,
    restarts    bigint not null,
    firmware    bigint not null,                -- 64 bits, unsigned
    generation  bigint not null,                -- of the model's reference values it had last; 0 for none
    updated_at  timestamptz not null,
    primary key (environment, device)
);

-- How the PCRs of a model's devices are judged.
create table tpm_policy (
    environment text not null,
    model       text not null,
    pcrs        text not null,                  -- sha256:0,1,2
    first_use   boolean not null,
    primary key (environment, model)
);

-- Values that PCRs may have; never deleted, because going back to old ones must be seen.
create table tpm_reference (
    generation  bigint generated always as identity primary key,
    environment text not null,
    model       text,                           -- of all its devices, or
    device      text,                           -- of this device
    origin      text not null check (origin in ('model','device','first-use')),
    name        text not null,
    content     text not null,                  -- JSON: {"sha256:0":"..."}
    superseded  boolean not null default false,
    created_at  timestamptz not null
);
create index tpm_reference_model on tpm_reference (environment, model) where model is not null;
create index tpm_reference_device on tpm_reference (environment, device) where device is not null;

-- What was found, the last 20 of each device.
create table tpm_verdict (
    id          bigint generated always as identity primary key,
    environment text not null,
    device      text not null,
    at          timestamptz not null,
    occasion    text not null check (occasion in ('enrolment','re-attestation')),
    passed      boolean not null,
    content     text not null                   -- JSON
);
create index tpm_verdict_device on tpm_verdict (environment, device, id desc);
