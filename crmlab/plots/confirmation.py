"""Figures of double opt-in and proof."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.consent_duration import medians
from crmlab.analysis.inputs import By, keys_of, names_of
from crmlab.analysis.subjects import Subject
from crmlab.display import plural
from crmlab.plots import _curves, _shares, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import GREEN, REST, VERMILLION, at, figure, nothing_of, number
from crmlab.schema import TimeLike

__all__ = ["confirmation_rate", "documentation_coverage", "time_to_confirm"]

_NO_REQUEST = "no event of a known person is a request."
#: the parts of the consents in force: column, words, colour
_PROOFS = (
    ("documented", "documented", GREEN),
    ("undocumented", "no document", VERMILLION),
    ("not_said", "the service does not say", REST),
)


@draws
def confirmation_rate(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    within_days: int = 7,
    subject: Subject = "contact",
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the share of requests that were confirmed within some days.

    Parameters
    ----------
    consent_events, as_of, by, within_days, subject, contacts, time_zone
        As `crmlab.analysis.confirmation_rate`.

    Returns
    -------
    go.Figure
        Horizontal bars, 0-100 %, each with the numbers it was made of.

    Raises
    ------
    UsageError
        `as_of`, `by` or `subject` is not known, or `within_days` is not positive.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "step": ["request", "request", "confirmation"],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (1, 1, 3)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.confirmation_rate(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 31))
    >>> figure.layout.title.text
    'Requests confirmed within 7 days (n = 2 requests)'
    """
    title = f"Requests confirmed within {plural(within_days, 'day')}"
    rates = analysis.confirmation_rate(
        consent_events,
        as_of=as_of,
        by=by,
        within_days=within_days,
        subject=subject,
        contacts=contacts,
        time_zone=time_zone,
    )
    # a request of yesterday may still be confirmed: it counts when its days are over
    old_enough = int(rates["requests_old_enough"].sum())
    too_young = int(rates["requests_too_young"].sum())
    if not old_enough:
        explanation = _NO_REQUEST
        if too_young:
            explanation = "all requests are younger."
        return nothing_of("consent events", consent_events, title, explanation)

    groups = _shares.labelled(rates, names_of(by), "All requests")
    return _shares.one(
        groups.rename({"confirmed": "part", "requests_old_enough": "whole"}),
        title,
        "Confirmed, % of requests old enough",
        plural(old_enough, "request"),
        f"The first of each {_whom.each_of(subject)}, as of {at(as_of, time_zone)}",
        _whom.left_out({"younger": too_young}),
    )


@draws
def time_to_confirm(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    subject: Subject = "contact",
    contacts: pl.DataFrame | None = None,
    confidence: float = 0.95,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return curves of the share of requests that are confirmed after each number of days.

    Parameters
    ----------
    consent_events, as_of, by, subject, contacts, confidence, time_zone
        As `crmlab.analysis.time_to_confirm`.

    Returns
    -------
    go.Figure
        Rising steps with 95 % bands; the subtitle says the median.

    Raises
    ------
    UsageError
        `as_of`, `by` or `subject` is not known.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["altcraft"] * 3, "step": ["request", "request", "confirmation"],
    ...         "contact_id": ["1", "2", "1"], "occurred_at": [datetime(2026, 1, day) for day in (1, 1, 3)]}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.time_to_confirm(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 31))
    >>> figure.layout.title.text
    'Time to confirm (n = 2 requests)'
    """
    title = "Time to confirm"
    group_columns = names_of(by)
    curve = analysis.time_to_confirm(
        consent_events,
        as_of=as_of,
        by=by,
        subject=subject,
        contacts=contacts,
        confidence=confidence,
        time_zone=time_zone,
    )
    if curve.is_empty():
        return nothing_of("consent events", consent_events, title, _NO_REQUEST)

    curve_lines, groups_note = _curves.steps(curve, group_columns, rising=True, name="confirmed")
    # what is not confirmed yet is censored: it may still be
    waiting = int(curve["censored"].sum())
    requests = plural(int(curve["ended"].sum()) + waiting, "request")
    half_time = _curves.median(
        medians(curve, by), keys_of(by), "Half confirm within", "Fewer than half confirm"
    )
    return figure(
        curve_lines,
        f"{title} (n = {requests})",
        half_time,
        f"The first of each {_whom.each_of(subject)}; {number(waiting)} still waiting as of {at(as_of, time_zone)}",
        groups_note,
        **_curves.layout(
            "Confirmed, % of requests", "Days since the request", several=bool(group_columns)
        ),
    )


@draws
def documentation_coverage(
    consent_events: pl.DataFrame,
    *,
    as_of: TimeLike,
    by: By = None,
    subject: Subject = "contact",
    subscriptions: pl.DataFrame | None = None,
    contacts: pl.DataFrame | None = None,
    time_zone: str = "UTC",
) -> go.Figure:
    """Return bars of the consents in force with and without proof.

    Parameters
    ----------
    consent_events, as_of, by, subject, subscriptions, contacts, time_zone
        As `crmlab.analysis.documentation_coverage`.

    Returns
    -------
    go.Figure
        Horizontal bars, each 100 %, in three parts.

    Raises
    ------
    UsageError
        `as_of`, `by` or `subject` is not known.

    Examples
    --------
    >>> from datetime import date, datetime
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"provider": ["complero"] * 2, "contact_id": ["1", "2"],
    ...         "opted_in": [True, True], "has_documentation": [True, False],
    ...         "occurred_at": [datetime(2026, 1, 1)] * 2}
    >>> frame = pl.DataFrame(rows).with_columns(pl.col("occurred_at").dt.replace_time_zone("UTC"))
    >>> figure = plots.documentation_coverage(conform(frame, TABLES["consent_events"]), as_of=date(2026, 1, 31))
    >>> figure.layout.title.text
    'Consents in force that are documented (n = 2 consents)'
    >>> [trace.name for trace in figure.data]
    ['documented', 'no document', 'the service does not say']
    """
    title = "Consents in force that are documented"
    groups = analysis.documentation_coverage(
        consent_events,
        as_of=as_of,
        by=by,
        subject=subject,
        subscriptions=subscriptions,
        contacts=contacts,
        time_zone=time_zone,
    )
    consents = int(groups["consents"].sum())
    documented = int(groups["documented"].sum())
    if not consents:
        return nothing_of("consent events", consent_events, title, "nobody is opted in.")

    return _shares.parts(
        _shares.labelled(groups, names_of(by), "All consents"),
        _PROOFS,
        title,
        "% of consents in force",
        plural(consents, "consent"),
        f"{documented / consents:.0%} of all, as of {at(as_of, time_zone)}, each of a {_whom.each_of(subject)}",
        _whom.evidence(subscriptions, contacts),
    )
