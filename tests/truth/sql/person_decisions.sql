-- The last decision of each person about e-mail, whichever service it was made in; a withdrawal that names no channel
-- is about every one, and a consent that names none about none.
CREATE OR REPLACE VIEW person_decisions AS
SELECT people.person_id, decisions.*
FROM decisions
JOIN people
    ON people.provider = decisions.provider
    AND people.account = decisions.account
    AND people.id = decisions.contact_id
WHERE moment <= getvariable('as_of') AND (channel = 'email' OR channel IS NULL AND decision = 'opt-out')
QUALIFY row_number() OVER (PARTITION BY person_id ORDER BY moment DESC, decision = 'opt-out' DESC) = 1;
