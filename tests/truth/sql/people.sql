-- Contacts that share an e-mail address or a telephone number are one person; what many names share is no evidence.
WITH RECURSIVE keyed AS (
    SELECT
        provider || '/' || account || '/' || id AS contact,
        row_number() OVER (ORDER BY provider, account, id) AS position,
        emails,
        phones,
        coalesce(full_name, concat_ws(' ', first_name, last_name)) AS written
    FROM contacts
),
words AS (
    SELECT
        contact,
        list_sort(list_filter(
            regexp_split_to_array(
                regexp_replace(lower(strip_accents(nfc_normalize(written))), '[^\p{L}\p{N}\s-]', '', 'g'),
                '[\s-]+'
            ),
            lambda word: word <> '' AND word NOT IN ('dr', 'prof', 'mr', 'mrs', 'ms')
        )) AS name_words
    FROM keyed
),
names AS (
    SELECT
        contact,
        array_to_string(name_words, ' ') AS whole_name,
        array_to_string(list_sort(list_transform(name_words, lambda word: word[1])), '') AS initials
    FROM words
),
shared_values AS (
    SELECT contact, 'email' AS kind, lower(trim(email)) AS value
    FROM keyed, unnest(emails) AS listed(email)
    UNION
    SELECT
        contact,
        'phone',
        '+' || regexp_replace(regexp_replace(phone, '[^0-9]', '', 'g'), '^00', '')
    FROM keyed, unnest(phones) AS listed(phone)
    WHERE trim(phone) LIKE '+%' OR trim(phone) LIKE '00%'
),
counted AS (
    SELECT kind, value, count(DISTINCT nullif(initials, '')) AS name_count
    FROM shared_values
    JOIN names USING (contact)
    GROUP BY kind, value
),
judged AS (
    SELECT
        shared_values.*,
        names.whole_name,
        CASE
            WHEN name_count > 10 THEN 'links nobody'
            WHEN kind = 'email' AND list_contains(getvariable('roles'), split_part(value, '@', 1)) THEN 'same name only'
            WHEN kind = 'email' AND name_count > 2 THEN 'same name only'
            WHEN kind = 'phone' AND name_count > 1 THEN 'same name only'
            WHEN kind = 'phone' AND whole_name = '' THEN 'links nobody'
            ELSE 'links'
        END AS verdict
    FROM shared_values
    JOIN counted USING (kind, value)
    JOIN names USING (contact)
),
pairs AS (
    SELECT DISTINCT one.contact AS one, other.contact AS other
    FROM judged AS one
    JOIN judged AS other USING (kind, value)
    WHERE one.verdict = 'links' AND other.verdict = 'links'
        OR one.verdict = 'same name only' AND other.verdict = 'same name only'
            AND one.whole_name = other.whole_name AND one.whole_name <> ''
),
reached AS (
    SELECT contact AS one, contact AS other FROM keyed
    UNION
    SELECT reached.one, pairs.other FROM reached JOIN pairs ON pairs.one = reached.other
)
SELECT
    contacts.provider,
    contacts.account,
    contacts.id,
    arg_min(first.contact, first.position) AS person_id
FROM reached
JOIN keyed ON keyed.contact = reached.one
JOIN keyed AS first ON first.contact = reached.other
JOIN contacts ON provider || '/' || account || '/' || id = reached.one
GROUP BY ALL
