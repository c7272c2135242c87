-- Who answers for a release, so that somebody else approves it; and what was written about it.
alter table firmware_release
    add column registrar text not null default '',
    add column notes     text not null default '';
