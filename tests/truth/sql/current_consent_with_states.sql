-- The same with subscriptions and contacts: a refusal of theirs stands above events, a consent below them.
SELECT subject, channel, purpose, decision, decided_at, basis
FROM consent_state
