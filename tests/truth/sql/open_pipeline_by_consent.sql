-- The open deals and their amount by what the person of each deal last said about e-mail.
WITH open_deals AS (
    SELECT
        CASE
            WHEN people.person_id IS NULL THEN 'unknown person'
            WHEN decision = 'opt-in' THEN 'opted in'
            WHEN decision = 'opt-out' THEN 'opted out'
            ELSE 'undecided'
        END AS consent,
        deals.currency,
        people.person_id,
        coalesce(if(isfinite(total_amount), total_amount, NULL), if(isfinite(amount), amount, NULL)) AS value
    FROM deals
    LEFT JOIN people
        ON people.provider = deals.provider
        AND people.account = deals.account
        AND people.id = deals.contact_id
    LEFT JOIN stand_on_email ON stand_on_email.person_id = people.person_id
    WHERE status = 'pending'
),
rows_wanted AS (
    SELECT consent, currency
    FROM (VALUES ('opted in'), ('opted out'), ('undecided'), ('unknown person')) AS states(consent),
        (SELECT DISTINCT currency FROM open_deals)
)
SELECT
    rows_wanted.consent,
    rows_wanted.currency,
    count(open_deals.consent) AS deals,
    CASE WHEN rows_wanted.consent <> 'unknown person' THEN count(DISTINCT person_id) END AS people,
    coalesce(sum(value), 0) AS amount
FROM rows_wanted
LEFT JOIN open_deals
    ON open_deals.consent = rows_wanted.consent
    AND open_deals.currency IS NOT DISTINCT FROM rows_wanted.currency
GROUP BY rows_wanted.consent, rows_wanted.currency
