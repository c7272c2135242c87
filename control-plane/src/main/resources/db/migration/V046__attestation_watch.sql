-- How often a model's devices must attest, and since when that has been asked; what is found when they do not.
alter table tpm_policy add column every_s bigint;               -- no interval is asked for where it is null
alter table tpm_policy add column set_at timestamptz;
alter table tpm_state add column overdue_at timestamptz;        -- when it was last told that the device is overdue
create index tpm_state_updated on tpm_state (updated_at);

-- Reference values belong to a firmware version, and may have the measured events that lead to them.
alter table tpm_reference add column firmware text;
alter table tpm_reference add column events text;               -- JSON, from a log that replays to the values

-- What a device has when it is first seen is taken for good only where the model's policy says so. Until now that was so
-- where nobody had said anything; models that have lived by it keep it.
insert into tpm_policy(environment, model, pcrs, first_use)
    select distinct d.environment, d.model, 'sha256:0,1,2,3,4,5,6,7', true
    from tpm_reference r join device d on d.environment = r.environment and d.id = r.device
    where r.origin = 'first-use'
    on conflict do nothing;

-- Which verdicts the journal has: the same again is said once an hour.
alter table tpm_verdict add column said boolean not null default true;
