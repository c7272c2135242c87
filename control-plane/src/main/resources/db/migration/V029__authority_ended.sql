-- When an authority stopped counting: what it issued is answered "revoked" from then on where its key is in wrong hands.
alter table authority add column ended_at timestamptz;
update authority set ended_at = now() where state in ('retired','distrusted');
