-- What each e-mail address last said about each channel, in whatever service; who has none is a contact.
WITH addresses AS (
    SELECT provider, account, id AS contact_id, lower(trim(emails[1])) AS email FROM contacts
),
-- a subscription is its contact's; of one that is not there its own address is known
subscribed AS (
    SELECT
        subscriptions.*,
        email,
        CASE WHEN subscriptions.address LIKE '%@%' THEN lower(trim(subscriptions.address)) END AS own_email
    FROM subscriptions
    LEFT JOIN addresses USING (provider, account, contact_id)
    WHERE opted_in IS NOT NULL
),
said AS (
    SELECT
        coalesce(address, provider || '/' || account || '/' || contact_id) AS subject,
        channel,
        decision,
        moment AS decided_at,
        'event' AS basis
    FROM decisions
    WHERE moment <= getvariable('as_of')
    UNION ALL
    SELECT
        coalesce(email, own_email, provider || '/' || account || '/' || contact_id),
        channel,
        CASE WHEN bool_or(opted_in) THEN 'opt-in' ELSE 'opt-out' END,
        NULL,
        'subscription'
    FROM subscribed
    GROUP BY ALL
    UNION ALL
    SELECT coalesce(email, provider || '/' || account || '/' || id), 'email', 'opt-out', NULL, 'contact'
    FROM contacts
    JOIN addresses USING (provider, account)
    WHERE do_not_contact AND addresses.contact_id = contacts.id
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
SELECT subject, channel, decision, decided_at
FROM expanded
WHERE subject IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY subject, channel
    ORDER BY
        CASE
            WHEN basis <> 'event' AND decision = 'opt-out' THEN 0
            WHEN basis = 'event' THEN 1
            ELSE 2
        END,
        decided_at DESC,
        decision = 'opt-out' DESC
) = 1
