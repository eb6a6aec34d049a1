-- Days from opening to closing of the won deals; where nobody dated it, the day of creating by the place's clock.
WITH won_deals AS (
    SELECT
        owner_name,
        close_date - coalesce(opened_on, (created_at AT TIME ZONE getvariable('time_zone'))::DATE) AS days
    FROM deals
    WHERE status = 'won'
),
measured AS (
    SELECT owner_name, CASE WHEN days >= 0 THEN days END AS days
    FROM won_deals
)
SELECT
    owner_name,
    count(*) AS won,
    count(*) - count(days) AS left_out,
    avg(days) AS mean_days,
    quantile_cont(days, 0.5)::DOUBLE AS median_days,
    quantile_cont(days, 0.9)::DOUBLE AS p90_days
FROM measured
GROUP BY owner_name
