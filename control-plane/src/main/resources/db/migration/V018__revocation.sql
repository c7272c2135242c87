-- Lists of revoked certificates are partitioned: which part a certificate belongs to is fixed when it is intended, and
-- it says so itself. Places are given out by a sequence in blocks of 64, 1,024 to a part, so no part grows beyond that;
-- part 0 are the certificates made before, which name the whole list.
create sequence certificate_place increment 64 minvalue 1024 start 1024;
alter table certificate add column crl_part bigint not null default 0;

-- When a hold ended: a delta must say that the certificate counts again.
alter table certificate add column released_at timestamptz;

create index certificate_part on certificate (authority, crl_part)
    where state in ('superseded','revoked') or held or released_at is not null;
create index certificate_changed on certificate (authority, greatest(ended_at, released_at))
    where ended_at is not null or released_at is not null;

-- What URLs in certificates have begun with: a list must name its distribution point as each certificate does.
create table pki_url (
    url           text primary key,
    first_used_at timestamptz not null
);
