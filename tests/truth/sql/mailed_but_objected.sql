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
objections AS (
    SELECT
        people.person_id,
        'do not contact' AS objection,
        NULL::TIMESTAMPTZ AS objected_at,
        contacts.provider AS objected_provider,
        contacts.account AS objected_account,
        contacts.id AS objected_id
    FROM contacts
    JOIN people USING (provider, account, id)
    WHERE do_not_contact
    UNION ALL
    SELECT person_id, kind, moment, provider, account, id
    FROM person_decisions
    WHERE decision = 'opt-out'
)
SELECT mailed.*, objections.* EXCLUDE (person_id)
FROM mailed
JOIN objections USING (person_id)
WHERE subscribed OR objected_at IS NULL OR last_sent_at > objected_at
