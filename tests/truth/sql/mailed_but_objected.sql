-- Contacts with an e-mail subscription, or a mailing of the last 90 days, whose person objected anywhere.
WITH subscribed AS (
    SELECT DISTINCT provider, account, contact_id
    FROM subscriptions
    WHERE channel = 'email' AND opted_in
),
mailings AS (
    SELECT provider, account, contact_id, max(coalesce(starts_at, created_at)) AS last_sent_at
    FROM activities
    WHERE mailing = 'sent'
        AND coalesce(starts_at, created_at) <= getvariable('as_of')
        AND coalesce(starts_at, created_at) > getvariable('as_of') - INTERVAL 90 DAY
    GROUP BY ALL
),
mailed AS (
    SELECT
        provider,
        account,
        contact_id,
        subscribed.contact_id IS NOT NULL AS subscribed,
        last_sent_at,
        people.person_id
    FROM subscribed
    FULL JOIN mailings USING (provider, account, contact_id)
    JOIN people USING (provider, account)
    WHERE people.id = contact_id
),
-- of the events that said no, the last one of each person who is opted out by events
last_events AS (
    SELECT *
    FROM events_of_people
    WHERE decision = 'opt-out' AND (channel = 'email' OR channel IS NULL)
    QUALIFY row_number() OVER (PARTITION BY subject ORDER BY moment DESC) = 1
),
objections AS (
    SELECT
        subject AS person_id,
        'do not contact' AS objection,
        NULL::TIMESTAMPTZ AS objected_at,
        provider AS objected_provider,
        account AS objected_account,
        id AS objected_id
    FROM marks_of_people
    UNION ALL
    SELECT subject, kind, moment, provider, account, id
    FROM last_events
    JOIN stand_by_events ON person_id = subject AND stand_by_events.decision = 'opt-out'
    UNION ALL
    SELECT subject, 'unsubscribed', NULL, provider, account, id
    FROM refusing_subscriptions_of_people
    LEFT JOIN stand_by_events ON person_id = subject AND stand_by_events.decision = 'opt-out'
    WHERE refusing_subscriptions_of_people.decision = 'opt-out'
        AND (channel = 'email' OR channel IS NULL)
        AND stand_by_events.person_id IS NULL
)
SELECT mailed.*, objections.* EXCLUDE (person_id)
FROM mailed
JOIN objections USING (person_id)
WHERE (subscribed OR objected_at IS NULL OR last_sent_at > objected_at)
    -- what an account sent was before its own subscription was refused
    AND NOT (objection = 'unsubscribed' AND objected_at IS NULL
        AND objected_provider = provider AND objected_account = account)
