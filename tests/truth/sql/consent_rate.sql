-- Of those who decided on a channel, how many are opted in; and of all contacts, how many decided.
WITH known AS (
    SELECT provider || '/' || account || '/' || id AS subject FROM contacts
),
everybody AS (
    SELECT count(*) AS contacts FROM known
)
SELECT
    channel,
    count(DISTINCT consent_state.subject) AS decided,
    count(DISTINCT consent_state.subject) FILTER (decision = 'opt-in') AS opted_in,
    decided - opted_in AS opted_out,
    opted_in / decided AS opted_in_per_decided,
    count(DISTINCT known.subject) AS contacts_decided,
    contacts,
    count(DISTINCT known.subject) / contacts AS coverage_of_contacts
FROM consent_state
LEFT JOIN known ON known.subject = consent_state.subject
CROSS JOIN everybody
GROUP BY channel, contacts
