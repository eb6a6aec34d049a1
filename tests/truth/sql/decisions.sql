-- What each event decided, and when: `opted_in`. Views that the other queries read.
CREATE OR REPLACE VIEW contacts_of_addresses AS
SELECT provider, account, lower(trim(contact_email)) AS address, min(contact_id) AS contact_id
FROM consent_events
WHERE contact_id IS NOT NULL AND contact_email IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE VIEW decisions AS
SELECT
    consent_events.provider,
    consent_events.account,
    id,
    kind,
    -- an event that names only an address is of the contact that has it in another event
    coalesce(consent_events.contact_id, contacts_of_addresses.contact_id) AS contact_id,
    contact_email,
    nullif(trim(channel), '') AS channel,
    source,
    coalesce(occurred_at, created_at) AS moment,
    CASE WHEN opted_in THEN 'opt-in' WHEN NOT opted_in THEN 'opt-out' END AS decision
FROM consent_events
LEFT JOIN contacts_of_addresses
    ON contacts_of_addresses.provider = consent_events.provider
    AND contacts_of_addresses.account = consent_events.account
    AND contacts_of_addresses.address = lower(trim(contact_email))
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
    END, basis
) = 1;
