-- What each contact last said about each channel and purpose, by events alone.
SELECT subject, channel, purpose, decision, moment AS decided_at, source, provider, account, basis
FROM standing('past_events_of_contacts')
