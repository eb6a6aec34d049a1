-- What each event decided, and when. Views that the other queries read.
CREATE OR REPLACE VIEW decisions AS
WITH events AS (
    SELECT *, lower(trim(contact_email)) AS address FROM consent_events
),
known AS (
    SELECT provider, account, address, min(contact_id) AS known_id
    FROM events
    WHERE contact_id IS NOT NULL AND address IS NOT NULL
    GROUP BY ALL
)
SELECT
    provider,
    account,
    id,
    kind,
    -- who is named by nothing but an address is the contact that has it in another event
    coalesce(contact_id, known_id) AS contact_id,
    address,
    nullif(trim(channel), '') AS channel,
    source,
    coalesce(occurred_at, created_at) AS moment,
    CASE WHEN opted_in THEN 'opt-in' ELSE 'opt-out' END AS decision
FROM events
LEFT JOIN known USING (provider, account, address)
WHERE opted_in IS NOT NULL AND moment IS NOT NULL;

-- a withdrawal that names no channel is one for each channel that the contact decided about
CREATE OR REPLACE VIEW channel_decisions AS
SELECT *, provider || '/' || account || '/' || contact_id AS subject
FROM decisions
WHERE contact_id IS NOT NULL
UNION ALL
SELECT DISTINCT withdrawals.* REPLACE (named.channel AS channel), provider || '/' || account || '/' || contact_id
FROM decisions AS withdrawals
JOIN decisions AS named USING (provider, account, contact_id)
WHERE withdrawals.channel IS NULL AND withdrawals.decision = 'opt-out' AND named.channel IS NOT NULL;

-- one row for each contact and channel: the last decision, of two at one moment the opt-out
CREATE OR REPLACE VIEW last_decisions AS
SELECT *
FROM channel_decisions
WHERE moment <= getvariable('as_of')
QUALIFY row_number() OVER (PARTITION BY subject, channel ORDER BY moment DESC, decision = 'opt-out' DESC) = 1;

-- subscriptions and contacts tell a state without a time
CREATE OR REPLACE VIEW states AS
SELECT
    provider || '/' || account || '/' || contact_id AS subject,
    channel,
    CASE WHEN bool_or(opted_in) THEN 'opt-in' ELSE 'opt-out' END AS decision,
    'subscription' AS basis
FROM subscriptions
WHERE opted_in IS NOT NULL
GROUP BY ALL
UNION ALL
SELECT provider || '/' || account || '/' || id, 'email', 'opt-out', 'contact'
FROM contacts
WHERE do_not_contact;

CREATE OR REPLACE VIEW consent_state AS
WITH said AS (
    SELECT
        provider || '/' || account || '/' || contact_id AS subject,
        channel,
        decision,
        'event' AS basis,
        moment AS decided_at
    FROM decisions
    WHERE contact_id IS NOT NULL AND moment <= getvariable('as_of')
    UNION ALL
    SELECT subject, channel, decision, basis, NULL FROM states
),
named AS (
    SELECT DISTINCT subject, channel FROM said WHERE channel IS NOT NULL
),
-- a withdrawal that names no channel is one for each that the person has
expanded AS (
    SELECT * FROM said
    UNION ALL
    SELECT said.* REPLACE (named.channel AS channel)
    FROM said
    JOIN named USING (subject)
    WHERE said.channel IS NULL AND decision = 'opt-out'
)
SELECT subject, channel, decision, decided_at, basis
FROM expanded
QUALIFY row_number() OVER (
    PARTITION BY subject, channel
    ORDER BY
        CASE
            WHEN basis <> 'event' AND decision = 'opt-out' THEN 0
            WHEN basis = 'event' THEN 1
            ELSE 2
        END,
        decided_at DESC,
        decision = 'opt-out' DESC,
        basis
) = 1;
