-- From a contact's creation to the first call, meeting or appointment with it; who still waits is censored at `as_of`.
WITH touches AS (
    SELECT provider, account, contact_id, contact_emails, coalesce(starts_at, created_at) AS moment
    FROM activities
    WHERE kind IN ('call', 'event', 'meeting')
        AND campaign_id IS NULL
        AND done IS DISTINCT FROM FALSE
        AND coalesce(starts_at, created_at) <= getvariable('as_of')
),
-- an appointment names addresses, not contacts
addressed AS (
    SELECT DISTINCT contacts.provider, contacts.account, contacts.id AS contact_id, touches.moment
    FROM contacts, unnest(contacts.emails) AS has(email), touches, unnest(touches.contact_emails) AS names(email)
    WHERE touches.contact_id IS NULL
        AND touches.provider = contacts.provider
        AND touches.account = contacts.account
        AND lower(trim(names.email)) = lower(trim(has.email))
),
of_contacts AS (
    SELECT provider, account, contact_id, moment FROM touches WHERE contact_id IS NOT NULL
    UNION ALL
    SELECT provider, account, contact_id, moment FROM addressed
),
-- who is known to an account that records no work of people cannot have an answer there
working_accounts AS (
    SELECT DISTINCT provider, account
    FROM activities
    WHERE kind IN ('action', 'call', 'event', 'meeting', 'note') AND campaign_id IS NULL
),
waits AS (
    SELECT
        contacts.provider,
        contacts.account,
        contacts.id,
        contacts.created_at,
        contacts.lead_source,
        min(of_contacts.moment) AS answered_at
    FROM contacts
    LEFT JOIN of_contacts
        ON of_contacts.provider = contacts.provider
        AND of_contacts.account = contacts.account
        AND of_contacts.contact_id = contacts.id
        AND of_contacts.moment >= contacts.created_at
    WHERE contacts.created_at <= getvariable('as_of')
        AND (contacts.provider, contacts.account) IN (SELECT (provider, account) FROM working_accounts)
    GROUP BY ALL
),
timed AS (
    SELECT
        lead_source,
        answered_at IS NOT NULL AS answered,
        epoch_us(coalesce(answered_at, getvariable('as_of'))) / 3.6e9 - epoch_us(created_at) / 3.6e9 AS hours
    FROM waits
),
-- Kaplan and Meier: at each time the share that goes on waiting, multiplied up
steps AS (
    SELECT lead_source, hours, count(*) AS leaving, count(*) FILTER (answered) AS ended
    FROM timed
    GROUP BY lead_source, hours
),
at_risk AS (
    SELECT *, sum(leaving) OVER (PARTITION BY lead_source ORDER BY hours DESC) AS waiting_then
    FROM steps
),
-- a factor of zero ends the curve: its logarithm would not be a number
curve AS (
    SELECT
        lead_source,
        hours,
        ended,
        CASE
            WHEN max((ended = waiting_then)::INTEGER) OVER so_far = 1 THEN 0
            ELSE exp(sum(ln(1 - CASE WHEN ended = waiting_then THEN 0 ELSE ended / waiting_then END)) OVER so_far)
        END AS survival
    FROM at_risk
    WINDOW so_far AS (PARTITION BY lead_source ORDER BY hours)
)
SELECT
    lead_source,
    count(*) AS contacts,
    count(*) FILTER (answered) AS answered,
    count(*) FILTER (NOT answered) AS waiting,
    count(*) FILTER (NOT answered) / count(*) AS waiting_rate,
    (SELECT min(hours) FROM curve WHERE curve.lead_source IS NOT DISTINCT FROM timed.lead_source
        AND survival <= 0.5 + 1e-9) AS median_hours,
    (SELECT min(hours) FROM curve WHERE curve.lead_source IS NOT DISTINCT FROM timed.lead_source
        AND survival <= 0.1 + 1e-9) AS p90_hours
FROM timed
GROUP BY lead_source
