from __future__ import annotations

import polars as pl

from crmlab.schema import unread_note


def test_values_that_could_not_be_read_are_told_by_table_and_service() -> None:
    summary = pl.DataFrame(
        {
            "provider": ["complero", "altcraft", "complero", "relenta"],
            "table": ["consent_events", "consent_events", "contacts", "deals"],
            "unread": [1_200, 1, 5, None],
        }
    )

    said = unread_note(summary, ["consent_events", "deals"])

    assert said == (
        "1,200 values of consent_events of complero and 1 value of consent_events of altcraft could not be read"
    )
    assert unread_note(summary, ["deals"]) == ""
    assert unread_note(summary.drop("unread"), ["consent_events"]) == ""
