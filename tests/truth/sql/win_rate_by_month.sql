-- The same by the month of closing: a month in which none closed has no row.
WITH measured AS (
    SELECT
        date_trunc('month', close_date)::DATE AS "month",
        currency,
        status,
        coalesce(if(isfinite(total_amount), total_amount, NULL), if(isfinite(amount), amount, NULL)) AS value
    FROM deals
    WHERE status IN ('won', 'lost')
)
SELECT
    "month",
    currency,
    count(*) FILTER (status = 'won') AS won,
    count(*) FILTER (status = 'lost') AS lost,
    CASE WHEN won + lost > 0 THEN won / (won + lost) END AS win_rate,
    coalesce(sum(value) FILTER (status = 'won'), 0) AS won_amount,
    coalesce(sum(value) FILTER (status = 'lost'), 0) AS lost_amount,
    CASE
        WHEN won_amount >= 0 AND lost_amount >= 0 AND won_amount + lost_amount > 0
        THEN won_amount / (won_amount + lost_amount)
    END AS win_rate_by_amount
FROM measured
GROUP BY "month", currency
