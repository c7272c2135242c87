-- How often in a row a receiver was away, and until when it is left alone: the channel's matter, not its first
-- message's nor one node's, so that every node and every restart keep the order of what waits.
alter table notify_channel add column away_until timestamptz;
alter table notify_channel add column away_times int not null default 0;
