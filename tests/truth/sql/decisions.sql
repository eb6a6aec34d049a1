-- What each event decided, about which channel and purpose, and when. Views and macros that the other queries read.
CREATE OR REPLACE VIEW decisions AS
SELECT
    provider,
    account,
    id,
    kind,
    contact_id,
    lower(trim(contact_email)) AS address,
    nullif(trim(channel), '') AS channel,
    nullif(trim(lower(replace(purpose, '-', ' '))), '') AS purpose,
    source,
    opted_in,
    coalesce(occurred_at, created_at) AS moment,
    CASE WHEN opted_in THEN 'opt-in' ELSE 'opt-out' END AS decision
FROM consent_events;

-- who is named by nothing but an address is the contact that has it in another event
CREATE OR REPLACE VIEW known_by_events AS
SELECT provider, account, address, contact_id AS known_id
FROM decisions
WHERE contact_id IS NOT NULL AND address IS NOT NULL;

-- or the contact whose address it is
CREATE OR REPLACE VIEW written_addresses AS
SELECT provider, account, id AS contact_id, lower(trim(unnest(emails))) AS address
FROM contacts;

CREATE OR REPLACE VIEW known_by_all AS
SELECT * FROM known_by_events
UNION ALL
SELECT provider, account, address, contact_id FROM written_addresses;

-- the decisions of known people: of several contacts that have an address it is the first, and of a refusal each
CREATE OR REPLACE MACRO with_contact(known) AS TABLE
WITH known_ids AS (
    SELECT DISTINCT
        provider, account, address, known_id,
        known_id = min(known_id) OVER (PARTITION BY provider, account, address) AS is_first
    FROM query_table(known)
)
SELECT decisions.* REPLACE (coalesce(contact_id, known_id) AS contact_id)
FROM decisions
LEFT JOIN known_ids
    ON decisions.contact_id IS NULL
    AND known_ids.provider = decisions.provider
    AND known_ids.account = decisions.account
    AND known_ids.address = decisions.address
    AND (is_first OR decision = 'opt-out')
WHERE opted_in IS NOT NULL AND moment IS NOT NULL;

CREATE OR REPLACE MACRO named(provider, account, id) AS provider || '/' || account || '/' || id;

-- a withdrawal that names no channel or no purpose is one for each that its person decided about
CREATE OR REPLACE MACRO covering(source) AS TABLE
WITH said AS (
    SELECT * FROM query_table(source) WHERE subject IS NOT NULL
),
about AS (
    SELECT DISTINCT subject, channel, purpose FROM said
)
SELECT * FROM said
UNION ALL
SELECT said.* REPLACE (about.channel AS channel, about.purpose AS purpose)
FROM said
JOIN about USING (subject)
WHERE said.decision = 'opt-out'
    AND (said.channel IS NULL OR said.channel = about.channel)
    AND (said.purpose IS NULL OR said.purpose = about.purpose)
    AND (said.channel IS DISTINCT FROM about.channel OR said.purpose IS DISTINCT FROM about.purpose);

-- the last decision about each channel and purpose: a refusal without a time stands above events, and a consent without
-- one counts on channels about which no event decides
CREATE OR REPLACE MACRO standing(source) AS TABLE
WITH said AS (
    SELECT * FROM covering(source)
),
by_events AS (
    SELECT DISTINCT subject, channel FROM said WHERE basis = 'event'
)
SELECT said.*
FROM said
LEFT JOIN by_events ON by_events.subject = said.subject AND by_events.channel IS NOT DISTINCT FROM said.channel
WHERE basis = 'event' OR decision = 'opt-out' OR by_events.subject IS NULL
QUALIFY row_number() OVER (
    PARTITION BY said.subject, said.channel, purpose
    ORDER BY basis <> 'event' AND decision = 'opt-out' DESC, moment DESC, decision = 'opt-out' DESC, basis
) = 1;

-- ---- what contacts said ----

CREATE OR REPLACE VIEW events_of_contacts AS
SELECT
    named(provider, account, coalesce(contact_id, address)) AS subject,
    channel, purpose, decision, moment, 'event' AS basis, source, provider, account
FROM with_contact('known_by_events');

CREATE OR REPLACE VIEW past_events_of_contacts AS
SELECT * FROM events_of_contacts WHERE moment <= getvariable('as_of');

-- whose a subscription is: its contact's, or of the contact that has its address, there or in another subscription
CREATE OR REPLACE VIEW subscribed AS
WITH said AS (
    SELECT *, CASE WHEN address LIKE '%@%' THEN lower(trim(address)) END AS own_email FROM subscriptions
),
known AS (
    SELECT provider, account, address AS own_email, contact_id FROM written_addresses
    UNION ALL
    SELECT provider, account, own_email, contact_id FROM said WHERE contact_id IS NOT NULL
),
known_ids AS (
    SELECT DISTINCT
        provider, account, own_email, contact_id AS known_id,
        contact_id = min(contact_id) OVER (PARTITION BY provider, account, own_email) AS is_first
    FROM known
    WHERE own_email IS NOT NULL
)
SELECT said.* REPLACE (coalesce(contact_id, known_id) AS contact_id)
FROM said
LEFT JOIN known_ids
    ON said.contact_id IS NULL
    AND known_ids.provider = said.provider
    AND known_ids.account = said.account
    AND known_ids.own_email = said.own_email
    AND (is_first OR NOT opted_in)
WHERE opted_in IS NOT NULL;

CREATE OR REPLACE VIEW states_of_contacts AS
SELECT
    named(provider, account, coalesce(contact_id, own_email)) AS subject,
    channel,
    NULL AS purpose,
    CASE WHEN bool_or(opted_in) THEN 'opt-in' ELSE 'opt-out' END AS decision,
    NULL::TIMESTAMPTZ AS moment,
    'subscription' AS basis
FROM subscribed
GROUP BY ALL
UNION ALL
SELECT named(provider, account, id), 'email', NULL, 'opt-out', NULL, 'contact'
FROM contacts
WHERE do_not_contact;

CREATE OR REPLACE VIEW all_events_of_contacts AS
SELECT
    named(provider, account, coalesce(contact_id, address)) AS subject,
    channel, purpose, decision, moment, 'event' AS basis
FROM with_contact('known_by_all');

CREATE OR REPLACE VIEW said_of_contacts AS
SELECT * FROM all_events_of_contacts WHERE moment <= getvariable('as_of')
UNION ALL
SELECT * FROM states_of_contacts;

CREATE OR REPLACE VIEW consent_state AS
SELECT subject, channel, purpose, decision, moment AS decided_at, basis
FROM standing('said_of_contacts');

CREATE OR REPLACE VIEW ever_said_of_contacts AS
SELECT * FROM all_events_of_contacts
UNION ALL
SELECT * FROM states_of_contacts;
