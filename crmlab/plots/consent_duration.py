"""The figure of how long consents last."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.consent_duration import medians, without_undated_ends
from crmlab.analysis.consent_state import state_of
from crmlab.analysis.decisions import OPT_IN, consent_periods, dated_events
from crmlab.analysis.inputs import By, keys_of, names_of
from crmlab.analysis.subjects import Subject
from crmlab.display import plural
from crmlab.plots import _curves, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import at, figure, nothing_of, number
from crmlab.schema import TimeLike, as_instant

__all__ = ["consent_survival"]


@draws
def consent_survival(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    which: Literal["first", "all"] = "first",
    confidence: float = 0.95,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return curves of the share of consents that last longer than each number of days.

    Parameters
    ----------
    consent_events, as_of, by, subject, subscriptions, contacts, which, confidence, time_zone
        As `crmlab.analysis.consent_survival`.

    Returns
    -------
    go.Figure
        Falling steps with 95 % bands, from 0 to 100 %.

    Raises
    ------
    UsageError
        `as_of`, `by`, `subject` or `which` is not known.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "opted_in": [True, True, False],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (1, 1, 11)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.consent_survival(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 31))
    >>> figure.layout.title.text
    'How long consents last (n = 2 consents)'
    """
    title = "How long consents last"
    group_columns = names_of(by)
    curve = analysis.consent_survival(
        consent_events,
        as_of=as_of,
        by=by,
        subject=subject,
        subscriptions=subscriptions,
        contacts=contacts,
        which=which,
        confidence=confidence,
        time_zone=time_zone,
    )
    if curve.is_empty():
        return nothing_of("consent events", consent_events, title, "nobody opted in.")

    moment = as_instant(as_of, "as_of", time_zone)
    state = state_of(
        consent_events, moment, subject, subscriptions=subscriptions, contacts=contacts
    )
    dated_decisions = dated_events(consent_events, moment, subject, contacts=contacts)
    curve_lines, groups_note = _curves.steps(curve, group_columns, rising=False, name="in force")
    in_force = int(curve["censored"].sum())
    consents = plural(int(curve["ended"].sum()) + in_force, "consent")
    half_life = _curves.median(
        medians(curve, by), keys_of(by), "Half end within", "More than half still last"
    )
    # who opts in again has several consents, of which the later ones last otherwise
    which_note = ""
    if which == "first":
        which_note = "The first of each in each group"
    return figure(
        curve_lines,
        f"{title} (n = {consents})",
        half_life,
        f"{number(in_force)} in force as of {at(as_of, time_zone)}, each of a {_whom.each_of(subject)}",
        which_note,
        _left_out(state, dated_decisions),
        groups_note,
        **_curves.layout(
            "Still in force, % of consents", "Days since the opt-in", several=bool(group_columns)
        ),
    )


def _left_out(state: pl.DataFrame, dated: pl.DataFrame) -> str:
    """Return how many consents are left out for they do not say when they began or ended."""
    periods = consent_periods(dated)
    undated_ends = periods.height - without_undated_ends(periods, state).height
    # a consent that is known by a state alone has no beginning
    is_state = pl.col("basis") != "event"
    undated_beginnings = state.filter(is_state & (pl.col("decision") == OPT_IN)).height
    return _whom.left_out(
        {
            "that began at no known time": undated_beginnings,
            "that ended at no known time": undated_ends,
        }
    )
