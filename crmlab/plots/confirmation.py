"""Figures of double opt-in and proof."""

from __future__ import annotations

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.consent_duration import medians
from crmlab.analysis.inputs import By, keys_of, names_of
from crmlab.analysis.parts import height_of
from crmlab.analysis.subjects import Subject
from crmlab.display import plural
from crmlab.plots import _curves, _shares, _whom
from crmlab.plots._fetches import draws
from crmlab.plots._template import GREEN, REST, VERMILLION, at, figure, nothing, number
from crmlab.plots.consent_state import NO_EVENTS
from crmlab.schema import TimeLike

__all__ = ["confirmation_rate", "documentation_coverage", "time_to_confirm"]

_NO_REQUEST = "no event of a known person is a request."


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
    keys = names_of(by)
    rates = analysis.confirmation_rate(
        consent_events,
        as_of=as_of,
        by=by,
        within_days=within_days,
        subject=subject,
        contacts=contacts,
        time_zone=time_zone,
    )
    n, young = int(rates["requests_old_enough"].sum()), int(rates["requests_too_young"].sum())
    if not n:
        why = "all requests are younger." if young else _NO_REQUEST
        return nothing(title, why if height_of(consent_events) else NO_EVENTS)
    labelled = _shares.labelled(rates, keys, "All requests")
    return _shares.one(
        labelled.rename({"confirmed": "part", "requests_old_enough": "whole"}),
        title,
        "Confirmed, % of requests old enough",
        plural(n, "request"),
        f"The first of each {_whom.each_of(subject)}, as of {at(as_of, time_zone)}",
        _whom.left_out({"younger": young}),
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
    keys = names_of(by)
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
        return nothing(title, _NO_REQUEST if height_of(consent_events) else NO_EVENTS)
    lines, rest = _curves.steps(curve, keys, rising=True, name="confirmed")
    waiting, n = (
        int(curve["censored"].sum()),
        int(curve.select(pl.col("ended", "censored").sum()).sum_horizontal()[0]),
    )
    return figure(
        lines,
        f"{title} (n = {plural(n, 'request')})",
        _curves.median(
            medians(curve, by), keys_of(by), "Half confirm within", "Fewer than half confirm"
        ),
        f"The first of each {_whom.each_of(subject)}; {number(waiting)} still waiting as of {at(as_of, time_zone)}",
        rest,
        **_curves.layout("Confirmed, % of requests", "Days since the request", several=bool(keys)),
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
    keys = names_of(by)
    groups = analysis.documentation_coverage(
        consent_events,
        as_of=as_of,
        by=by,
        subject=subject,
        subscriptions=subscriptions,
        contacts=contacts,
        time_zone=time_zone,
    )
    n, documented = int(groups["consents"].sum()), int(groups["documented"].sum())
    if not n:
        return nothing(title, "nobody is opted in." if height_of(consent_events) else NO_EVENTS)
    columns = (
        ("documented", "documented", GREEN),
        ("undocumented", "no document", VERMILLION),
        ("not_said", "the service does not say", REST),
    )
    return _shares.parts(
        _shares.labelled(groups, keys, "All consents"),
        columns,
        title,
        "% of consents in force",
        plural(n, "consent"),
        f"{documented / n:.0%} of all, as of {at(as_of, time_zone)}, each of a {_whom.each_of(subject)}",
        _whom.evidence(subscriptions, contacts),
    )
