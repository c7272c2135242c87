-- A campaign is planned piece by piece after it has been decided, so that a million certificates hold nobody up. `cursor` is
-- the serial that was planned last in this pass; null `planned_at`: still being planned. `cleared_at`: a stopped campaign
-- holds no certificate any more.
alter table renewal_campaign add column authority text;
alter table renewal_campaign add column serial text;
alter table renewal_campaign add column by_device boolean not null default false;
alter table renewal_campaign add column cursor text not null default '';
alter table renewal_campaign add column planned_at timestamptz;
alter table renewal_campaign add column cleared_at timestamptz;
update renewal_campaign set planned_at = started_at;
update renewal_campaign set cleared_at = stopped_at;
create index renewal_campaign_unplanned on renewal_campaign (started_at) where planned_at is null and stopped_at is null;
create index renewal_campaign_uncleared on renewal_campaign (started_at) where stopped_at is not null and cleared_at is null;

-- The devices a campaign was given by name, some at a time; a part goes when its devices are planned.
create table renewal_campaign_part (
    campaign text not null references renewal_campaign (id),
    part     int  not null,
    devices  text[] not null,
    primary key (campaign, part)
);

-- How far a campaign has come, from indexes alone.
drop index certificate_campaign;
create index certificate_campaign on certificate (renewal_campaign, renew_at) where renewal_campaign is not null;
create index certificate_campaign_done on certificate (renewal_campaign)
    where renewal_campaign is not null and state in ('superseded','revoked');
