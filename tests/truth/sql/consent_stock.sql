-- Opt-ins and opt-outs that changed something, per month of the place's clock, and the consents in force after it. What
-- only subscriptions and contacts tell of is in the stock of the last month.
WITH ordered AS (
    SELECT
        subject,
        channel,
        purpose,
        decision,
        moment,
        (moment AT TIME ZONE getvariable('time_zone')) AS local_at,
        coalesce(lag(decision) OVER (
            PARTITION BY subject, channel, purpose ORDER BY moment, decision = 'opt-out'
        ), 'opt-out') AS before,
        lead(decision) OVER (PARTITION BY subject, channel, purpose ORDER BY moment, decision = 'opt-out') AS after
    FROM covering('all_events_of_contacts')
),
changes AS (
    SELECT date_trunc('month', local_at)::DATE AS period, decision FROM ordered WHERE decision <> before
),
-- in force by events, and by all that is known
by_events AS (
    SELECT subject, channel, purpose FROM ordered WHERE after IS NULL AND decision = 'opt-in'
),
by_all AS (
    SELECT subject, channel, purpose FROM standing('ever_said_of_contacts') WHERE decision = 'opt-in'
),
undated AS (
    SELECT
        (SELECT count(*) FROM (FROM by_all EXCEPT FROM by_events)) AS begun,
        (SELECT count(*) FROM (FROM by_events EXCEPT FROM by_all)) AS ended
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
),
dated AS (
    SELECT
        *,
        (sum(opt_ins - opt_outs) OVER (ORDER BY period))::BIGINT AS dated_stock,
        period = max(period) OVER () AS is_last
    FROM counted
)
SELECT
    period,
    opt_ins,
    opt_outs,
    opt_ins - opt_outs AS net,
    dated_stock - net AS stock_at_start,
    CASE WHEN is_last THEN begun ELSE 0 END AS opt_ins_undated,
    CASE WHEN is_last THEN ended ELSE 0 END AS opt_outs_undated,
    dated_stock + opt_ins_undated - opt_outs_undated AS stock,
    CASE WHEN stock_at_start <> 0 THEN opt_outs / stock_at_start END AS opt_out_rate_of_stock_at_start
FROM dated
CROSS JOIN undated
