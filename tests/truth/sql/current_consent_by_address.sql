-- What each e-mail address last said about each channel and purpose, in whatever service; who has none is a contact.
CREATE OR REPLACE TEMP VIEW first_addresses AS
SELECT provider, account, id AS contact_id, lower(trim(emails[1])) AS email FROM contacts;

-- a subscription is its contact's; of one that is not there its own address is known
CREATE OR REPLACE TEMP VIEW said_of_addresses AS
SELECT
    coalesce(address, email, named(provider, account, contact_id)) AS subject,
    channel, purpose, decision, moment, 'event' AS basis
FROM with_contact('known_by_all')
LEFT JOIN first_addresses USING (provider, account, contact_id)
WHERE moment <= getvariable('as_of')
UNION ALL
SELECT
    coalesce(email, own_email, named(provider, account, contact_id)) AS subject,
    channel,
    NULL,
    CASE WHEN bool_or(opted_in) THEN 'opt-in' ELSE 'opt-out' END,
    NULL,
    'subscription'
FROM subscribed
LEFT JOIN first_addresses USING (provider, account, contact_id)
GROUP BY provider, account, subject, channel
UNION ALL
-- who must not be mailed must not be so at any address
SELECT
    coalesce(address, named(contacts.provider, contacts.account, contacts.id)), 'email', NULL, 'opt-out', NULL, 'contact'
FROM contacts
LEFT JOIN written_addresses
    ON written_addresses.provider = contacts.provider
    AND written_addresses.account = contacts.account
    AND written_addresses.contact_id = contacts.id
WHERE do_not_contact;

SELECT subject, channel, purpose, decision, moment AS decided_at
FROM standing('said_of_addresses')
