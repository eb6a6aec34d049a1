-- The actions created by `as_of` and not done by then, by owner and by the days since the due day.
WITH settings AS (
    SELECT (getvariable('as_of') AT TIME ZONE getvariable('time_zone'))::DATE AS today
),
actions AS (
    SELECT
        coalesce(users.name, activities.author, activities.owner_id) AS owner,
        coalesce(due_on, (starts_at AT TIME ZONE getvariable('time_zone'))::DATE) AS due_day,
        coalesce(done, done_at IS NOT NULL) AS is_done,
        done_at,
        activities.created_at
    FROM activities
    LEFT JOIN users
        ON users.provider = activities.provider
        AND users.account = activities.account
        AND users.id = activities.owner_id
    WHERE kind = 'action'
),
open_ones AS (
    SELECT owner, due_day, today - due_day AS days_late
    FROM actions, settings
    WHERE (created_at IS NULL OR created_at <= getvariable('as_of'))
        AND NOT (is_done AND (done_at IS NULL OR done_at <= today))
)
SELECT
    owner,
    count(*) AS "open",
    count(*) FILTER (due_day IS NULL) AS undated,
    count(*) FILTER (days_late <= 0) AS upcoming,
    count(*) FILTER (days_late > 0) AS overdue,
    count(*) FILTER (days_late BETWEEN 1 AND 7) AS overdue_to_7_days,
    count(*) FILTER (days_late BETWEEN 8 AND 30) AS overdue_8_to_30_days,
    count(*) FILTER (days_late > 30) AS overdue_above_30_days,
    count(*) FILTER (days_late > 0) / count(*) AS overdue_rate
FROM open_ones
GROUP BY owner
