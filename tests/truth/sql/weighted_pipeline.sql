-- The open deals by expected month: amount, and amount x probability of the stage.
WITH settings AS (
    SELECT (getvariable('as_of') AT TIME ZONE getvariable('time_zone'))::DATE AS today
),
open_deals AS (
    SELECT
        CASE
            WHEN expected_close_date IS NULL THEN 'no date'
            WHEN expected_close_date < today THEN 'overdue'
            ELSE 'month'
        END AS bucket,
        CASE WHEN bucket = 'month' THEN date_trunc('month', expected_close_date)::DATE END AS "month",
        currency,
        CASE WHEN stage_probability IS NOT NULL THEN 'service' END AS probability_from,
        stage_probability,
        coalesce(if(isfinite(total_amount), total_amount, NULL), if(isfinite(amount), amount, NULL)) AS value
    FROM deals, settings
    WHERE status = 'pending'
)
SELECT
    bucket,
    "month",
    currency,
    probability_from,
    count(*) AS deals,
    count(*) - count(value) AS without_amount,
    coalesce(sum(value), 0) AS amount,
    CASE WHEN probability_from IS NOT NULL THEN coalesce(sum(value * stage_probability), 0) END AS weighted_amount
FROM open_deals
GROUP BY bucket, "month", currency, probability_from
