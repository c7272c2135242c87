-- When each certificate should be renewed, and whether its device has been told. A campaign (a compromised authority, a
-- new root, an operator's wish) moves that time forward.
alter table certificate add column renew_at timestamptz;
alter table certificate add column told_at timestamptz;
alter table certificate add column renewal_campaign text;
create index certificate_campaign on certificate (renewal_campaign) where renewal_campaign is not null;

create table renewal_campaign (
    id          text primary key,
    environment text not null,
    reason      text not null,
    started_by  text not null,
    started_at  timestamptz not null,
    per_hour    int not null,
    total       bigint not null,
    stopped_at  timestamptz
);
create index renewal_campaign_recent on renewal_campaign (environment, started_at);
update certificate set renew_at = not_before + (not_after - not_before) * 2 / 3 where state in ('pending','current');

-- One row: when devices were last told to renew. Whoever holds it tells them; its age is what the rate allows.
create table renewal_turn (
    last_at timestamptz not null
);
insert into renewal_turn(last_at) values (now());

create index certificate_due on certificate (renew_at)
    where state = 'current' and told_at is null and not held and device is not null;
