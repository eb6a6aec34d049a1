"""The questions that both sides answer: the query in `sql`, and the analysis that it was written after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from crmlab import analysis

#: a place far from UTC, so that a day taken from the wrong clock shows
TIME_ZONE = "Pacific/Auckland"
NOW = dt.datetime(2026, 11, 1, 9, 30, tzinfo=dt.UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One analysis and how it is called.

    Attributes
    ----------
    query : str
        The file in `sql`.
    analysis : callable
        What answers.
    frames, adds : tuple of str
        The tables it is given in their order, and by name; `people` is made of the contacts.
    options : mapping
        What else it is given.
    keys : tuple of str
        The columns that tell the rows of its answer apart.
    """

    query: str
    analysis: Callable[..., pl.DataFrame]
    frames: tuple[str, ...]
    adds: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...]

    def of_frames(self, tables: Mapping[str, Any]) -> pl.DataFrame:
        """Return the answer of tables."""
        made = dict(tables)
        if "people" in self.frames:
            made["people"] = analysis.people(tables["contacts"])
        given = [made[name] for name in self.frames]
        added = {name: made[name] for name in self.adds}
        return self.analysis(*given, **added, **self.options)

    def of_fetch(self, data: Any) -> pl.DataFrame:
        """Return the answer of what a fetch brought, given in the place of its tables."""
        return self.analysis(data, **self.options)


_NOW = {"as_of": NOW}
_PLACE = {"time_zone": TIME_ZONE}
_STATES = ("subscriptions", "contacts")

QUESTIONS = (
    Question(
        query="win_rate",
        analysis=analysis.win_rate,
        frames=("deals",),
        options={"by": "owner_name"},
        keys=("owner_name", "currency"),
    ),
    Question(
        query="win_rate_by_month",
        analysis=analysis.win_rate,
        frames=("deals",),
        options={"by": "month"},
        keys=("month", "currency"),
    ),
    Question(
        query="cycle_length",
        analysis=analysis.cycle_length,
        frames=("deals",),
        options={"by": "owner_name", **_PLACE},
        keys=("owner_name",),
    ),
    Question(
        query="weighted_pipeline",
        analysis=analysis.weighted_pipeline,
        frames=("deals",),
        options={**_NOW, **_PLACE},
        keys=("bucket", "month", "currency", "probability_from"),
    ),
    Question(
        query="open_actions",
        analysis=analysis.open_actions,
        frames=("activities",),
        adds=("users",),
        options={**_NOW, **_PLACE},
        keys=("owner",),
    ),
    Question(
        query="response_time",
        analysis=analysis.response_time,
        frames=("contacts", "activities"),
        options={"by": "lead_source", **_NOW, **_PLACE},
        keys=("lead_source",),
    ),
    Question(
        query="current_consent",
        analysis=analysis.current_consent,
        frames=("consent_events",),
        options=_NOW,
        keys=("subject", "channel", "purpose"),
    ),
    Question(
        query="current_consent_with_states",
        analysis=analysis.current_consent,
        frames=("consent_events",),
        adds=_STATES,
        options=_NOW,
        keys=("subject", "channel", "purpose"),
    ),
    Question(
        query="current_consent_by_address",
        analysis=analysis.current_consent,
        frames=("consent_events",),
        adds=_STATES,
        options={"subject": "email", **_NOW},
        keys=("subject", "channel", "purpose"),
    ),
    Question(
        query="consent_rate",
        analysis=analysis.consent_rate,
        frames=("consent_events",),
        adds=_STATES,
        options={"by": "channel", **_NOW},
        keys=("channel",),
    ),
    Question(
        query="consent_stock",
        analysis=analysis.consent_stock,
        frames=("consent_events",),
        adds=_STATES,
        options={"every": "1mo", **_PLACE},
        keys=("period",),
    ),
    Question(
        query="mailed_but_objected",
        analysis=analysis.mailed_but_objected,
        frames=("contacts", "subscriptions", "activities", "consent_events", "people"),
        options=_NOW,
        keys=(
            "provider",
            "account",
            "contact_id",
            "objected_provider",
            "objected_account",
            "objected_id",
        ),
    ),
    Question(
        query="open_pipeline_by_consent",
        analysis=analysis.open_pipeline_by_consent,
        frames=("deals", "consent_events", "people"),
        adds=_STATES,
        options=_NOW,
        keys=("consent", "currency"),
    ),
    Question(
        query="people",
        analysis=analysis.people,
        frames=("contacts",),
        keys=("provider", "account", "id"),
    ),
)
