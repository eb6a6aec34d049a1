"""What the services' words mean."""

from typing import Any

import polars as pl
import pytest

from crmlab import analysis
from crmlab.analysis import vocabulary
from crmlab.providers.altcraft.views import CONSENT_ACTIONS
from crmlab.providers.complero import EVENT_TYPES
from crmlab.schema.tables import TABLES, conform


def table(name: str, **columns: Any) -> pl.DataFrame:
    return conform(pl.DataFrame(columns), TABLES[name])


@pytest.mark.parametrize(
    ("provider", "kind", "opted_in", "decision"),
    [
        ("altcraft", "subscribe", None, "opt-in"),
        ("altcraft", "Unsubscribe", None, "opt-out"),
        ("altcraft", "complaint", None, "opt-out"),
        ("altcraft", "confirm", None, "opt-in"),
        ("altcraft", "hardbounce", None, None),
        ("complero", "confirm", True, "opt-in"),
        ("complero", "confirm", False, "opt-out"),
        ("complero", "confirm", None, None),
        ("complero", "update", False, "opt-out"),
        ("complero", "documentation", True, None),
        ("relenta", "subscribe", None, None),
        (None, None, True, None),
        ("salesforce", "signed up", True, "opt-in"),
        ("salesforce", None, False, "opt-out"),
        ("salesforce", "subscribe", None, None),
    ],
)
def test_what_an_event_means(provider: str | None, kind: str | None, opted_in: bool | None, decision: str) -> None:
    frame = table("consent_events", provider=[provider], kind=[kind], opted_in=[opted_in])

    assert vocabulary.decided(frame)["decision"].to_list() == [decision]


def test_unknown_kinds_are_counted_and_named() -> None:
    frame = table("consent_events", provider=["altcraft"] * 3, kind=["smiled", "smiled", "subscribe"])

    found = analysis.consent_kinds(frame)

    assert found.drop("provider").rows() == [("smiled", 2, 0, 0, 2, False), ("subscribe", 1, 1, 0, 0, True)]


def test_every_consent_action_that_altcraft_may_tell_is_known() -> None:
    assert set(CONSENT_ACTIONS) <= set(vocabulary.EVENTS["altcraft"])
    assert set(EVENT_TYPES) <= set(vocabulary.EVENTS["complero"])


def test_every_word_that_decides_is_one_of_the_schema() -> None:
    words = {name: TABLES[name].columns for name in ("consent_events", "subscriptions")}

    assert {kind for kinds in vocabulary.EVENTS.values() for kind in kinds} == set(
        words["consent_events"]["kind"].words
    )
    assert set(vocabulary.STATES) == set(words["subscriptions"]["status"].words)
