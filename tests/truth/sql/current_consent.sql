-- What each contact last said about each channel, by events alone.
SELECT subject, channel, decision, moment AS decided_at, source, provider, account, 'event' AS basis
FROM last_decisions
