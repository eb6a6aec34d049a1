-- What each event decided, and when: the words of the schema and `opted_in`. Views that the other queries read.
CREATE OR REPLACE VIEW decisions AS
SELECT
    provider,
    account,
    id,
    kind,
    contact_id,
    contact_email,
    nullif(trim(channel), '') AS channel,
    source,
    coalesce(occurred_at, created_at) AS moment,
    CASE
        -- a proof was added to what had been said before
        WHEN kind = 'documentation' THEN NULL
        WHEN opted_in THEN 'opt-in'
        WHEN NOT opted_in THEN 'opt-out'
        WHEN kind IN ('subscribe', 'sub', 'confirm') THEN 'opt-in'
        WHEN kind IN ('unsubscribe', 'unsub', 'complain', 'complaint', 'spam', 'fbl') THEN 'opt-out'
    END AS decision
FROM consent_events
WHERE decision IS NOT NULL AND moment IS NOT NULL;

-- one row for each contact and channel: the last decision, of two at one moment the opt-out
CREATE OR REPLACE VIEW last_decisions AS
SELECT *, provider || '/' || account || '/' || contact_id AS subject
FROM decisions
WHERE contact_id IS NOT NULL AND moment <= getvariable('as_of')
QUALIFY row_number() OVER (
    PARTITION BY provider, account, contact_id, channel
    ORDER BY moment DESC, decision = 'opt-out' DESC
) = 1;

-- subscriptions and contacts tell a state without a time
CREATE OR REPLACE VIEW states AS
SELECT
    provider || '/' || account || '/' || contact_id AS subject,
    channel,
    CASE WHEN bool_or(status = 'subscribed') THEN 'opt-in' ELSE 'opt-out' END AS decision,
    'subscription' AS basis
FROM subscriptions
WHERE status IN ('subscribed', 'unsubscribed', 'complained')
GROUP BY ALL
UNION ALL
SELECT provider || '/' || account || '/' || id, 'email', 'opt-out', 'contact'
FROM contacts
WHERE do_not_contact;

CREATE OR REPLACE VIEW consent_state AS
WITH said AS (
    SELECT subject, channel, decision, 'event' AS basis, moment AS decided_at FROM last_decisions
    UNION ALL
    SELECT subject, channel, decision, basis, NULL FROM states
)
SELECT subject, channel, decision, decided_at, basis
FROM said
QUALIFY row_number() OVER (
    PARTITION BY subject, channel
    ORDER BY CASE
        WHEN basis <> 'event' AND decision = 'opt-out' THEN 0
        WHEN basis = 'event' THEN 1
        ELSE 2
    END
) = 1;
