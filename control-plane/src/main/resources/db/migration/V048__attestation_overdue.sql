-- When it was last told that a device has not attested in time, also of one that never has.
create table tpm_overdue (
    environment text not null,
    device      text not null,
    at          timestamptz not null,
    primary key (environment, device)
);
insert into tpm_overdue(environment, device, at)
    select environment, device, overdue_at from tpm_state where overdue_at is not null;
alter table tpm_state drop column overdue_at;
