-- Opt-ins and opt-outs that changed something, per month of the place's clock, and the consents in force after it.
WITH ordered AS (
    SELECT
        decision,
        (moment AT TIME ZONE getvariable('time_zone')) AS local_at,
        coalesce(lag(decision) OVER (
            PARTITION BY subject, channel ORDER BY moment, decision = 'opt-out'
        ), 'opt-out') AS before
    FROM channel_decisions
),
changes AS (
    SELECT date_trunc('month', local_at)::DATE AS period, decision FROM ordered WHERE decision <> before
),
periods AS (
    SELECT unnest(generate_series(min(period), max(period), INTERVAL 1 MONTH))::DATE AS period FROM changes
),
counted AS (
    SELECT
        period,
        count(*) FILTER (decision = 'opt-in') AS opt_ins,
        count(*) FILTER (decision = 'opt-out') AS opt_outs
    FROM periods
    LEFT JOIN changes USING (period)
    GROUP BY period
)
SELECT
    period,
    opt_ins,
    opt_outs,
    opt_ins - opt_outs AS net,
    (sum(opt_ins - opt_outs) OVER (ORDER BY period))::BIGINT AS stock,
    stock - net AS stock_at_start,
    CASE WHEN stock_at_start <> 0 THEN opt_outs / stock_at_start END AS opt_out_rate_of_stock_at_start
FROM counted
