-- Until when a receiver that is away is left alone: the channel's matter, not its first message's, so that every node
-- and every restart keep the order of what waits.
alter table notify_channel add column away_until timestamptz;
