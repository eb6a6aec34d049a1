-- What people said in all services. An event of a contact that nobody knows is of whoever has its address: a refusal of
-- everybody, a consent of one person only.
CREATE OR REPLACE VIEW addresses_of_people AS
WITH pairs AS (
    SELECT DISTINCT written_addresses.address, people.person_id
    FROM written_addresses
    JOIN people
        ON people.provider = written_addresses.provider
        AND people.account = written_addresses.account
        AND people.id = written_addresses.contact_id
)
SELECT *, count(*) OVER (PARTITION BY address) AS sharers FROM pairs;

CREATE OR REPLACE VIEW events_of_people AS
SELECT
    coalesce(people.person_id, addresses_of_people.person_id) AS subject,
    channel, purpose, decision, moment, 'event' AS basis, said.provider, said.account, said.id, kind
FROM with_contact('known_by_all') AS said
LEFT JOIN people
    ON people.provider = said.provider
    AND people.account = said.account
    AND people.id = said.contact_id
LEFT JOIN addresses_of_people
    ON people.person_id IS NULL
    AND addresses_of_people.address = said.address
    AND (decision = 'opt-out' OR sharers = 1)
WHERE moment <= getvariable('as_of') AND subject IS NOT NULL;

CREATE OR REPLACE VIEW refusing_subscriptions_of_people AS
SELECT
    coalesce(people.person_id, addresses_of_people.person_id) AS subject,
    channel,
    CASE WHEN bool_or(opted_in) THEN 'opt-in' ELSE 'opt-out' END AS decision,
    subscribed.provider,
    subscribed.account,
    -- the first of the resource that comes first, among those that say so
    min_by(subscribed.id, (resource_id, subscribed.id)) FILTER (NOT opted_in) AS id
FROM subscribed
LEFT JOIN people
    ON people.provider = subscribed.provider
    AND people.account = subscribed.account
    AND people.id = subscribed.contact_id
LEFT JOIN addresses_of_people
    ON people.person_id IS NULL
    AND addresses_of_people.address = own_email
    AND (NOT opted_in OR sharers = 1)
WHERE subject IS NOT NULL
GROUP BY ALL;

CREATE OR REPLACE VIEW marks_of_people AS
SELECT people.person_id AS subject, contacts.provider, contacts.account, contacts.id
FROM contacts
JOIN people USING (provider, account, id)
WHERE do_not_contact;

CREATE OR REPLACE VIEW said_of_people AS
SELECT subject, channel, purpose, decision, moment, basis FROM events_of_people
UNION ALL
SELECT subject, channel, NULL, decision, NULL, 'subscription' FROM refusing_subscriptions_of_people
UNION ALL
SELECT subject, 'email', NULL, 'opt-out', NULL, 'contact' FROM marks_of_people;

-- what is said about e-mail: a withdrawal that names no channel, too
CREATE OR REPLACE VIEW said_about_email AS
SELECT * REPLACE ('email' AS channel)
FROM said_of_people
WHERE channel = 'email' OR channel IS NULL AND decision = 'opt-out';

-- opted in is who said yes to any purpose of e-mail, and opted out who decided and said yes to none
CREATE OR REPLACE VIEW stand_on_email AS
SELECT subject AS person_id, CASE WHEN bool_or(decision = 'opt-in') THEN 'opt-in' ELSE 'opt-out' END AS decision
FROM standing('said_about_email')
GROUP BY subject;

-- the same by events alone, which have a time
CREATE OR REPLACE VIEW events_about_email AS
SELECT * FROM said_about_email WHERE basis = 'event';

CREATE OR REPLACE VIEW stand_by_events AS
SELECT subject AS person_id, CASE WHEN bool_or(decision = 'opt-in') THEN 'opt-in' ELSE 'opt-out' END AS decision
FROM standing('events_about_email')
GROUP BY subject;
