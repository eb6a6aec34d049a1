"""Figures of consent banners: what visitors chose, and which categories and vendors they accepted."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.inputs import By, names_of
from crmlab.analysis.parts import height_of
from crmlab.display import plural
from crmlab.plots import _shares
from crmlab.plots._fetches import draws
from crmlab.plots._template import GREEN, PALETTE, REST, VERMILLION, nothing

__all__ = ["banner_items", "banner_rates"]


@draws
def banner_rates(
    consent_statistics: pl.DataFrame, *, by: By = None, every: str | None = None
) -> go.Figure:
    """Return bars of what became of the visitors who saw a banner.

    Parameters
    ----------
    consent_statistics, by, every
        As `crmlab.analysis.banner_rates`.

    Returns
    -------
    go.Figure
        Horizontal bars, each 100 % of the exposed visitors, in four parts: accepted by a click, accepted
        otherwise, refused, chose nothing. Groups that do not tell all of them are left out.

    Raises
    ------
    UsageError
        `by` is not known.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"day": [date(2026, 1, 1)], "visitors_exposed": [1000], "optin": [600], "explicit_optin": [500],
    ...         "optout": [200]}
    >>> figure = plots.banner_rates(conform(pl.DataFrame(rows), TABLES["consent_statistics"]))
    >>> figure.layout.title.text
    'What visitors chose on the banner (n = 1,000 exposed visitors)'
    >>> [trace.name for trace in figure.data]
    ['accepted by a click', 'accepted otherwise', 'refused', 'chose nothing']
    """
    title = "What visitors chose on the banner"
    keys = names_of(by)
    rates = analysis.banner_rates(consent_statistics, by=by, every=every)
    counts = ("explicit_optin", "implicit_optin", "optout", "no_choice")
    # who accepted and refused on one day is in both; what is left is then less than nothing
    known = rates.with_columns(
        (pl.col("optin") - pl.col("explicit_optin")).clip(lower_bound=0).alias("implicit_optin"),
        pl.col("no_choice").clip(lower_bound=0),
    ).drop_nulls(counts)
    n = int(known["visitors_exposed"].sum())
    if not n:
        why = "no banner tells all choices of its visitors."
        return nothing(
            title,
            why if height_of(consent_statistics) else "the consent statistics table is empty.",
        )
    left_out = rates.height - known.height
    whole = "All devices" if keys == ["device"] else "All visitors"
    if keys == ["device"]:
        known = known.with_columns(pl.col("device").fill_null(whole))
    labels = _shares.labelled(known, keys, whole)
    columns = zip(
        counts,
        ("accepted by a click", "accepted otherwise", "refused", "chose nothing"),
        (GREEN, PALETTE[4], VERMILLION, REST),
        strict=True,
    )
    return _shares.parts(
        labels,
        tuple(columns),
        title,
        "% of exposed visitors",
        plural(n, "exposed visitor"),
        "A visitor of two days or banners is two",
        f"{plural(left_out, 'group')} with unknown counts left out" if left_out else "",
    )


@draws
def banner_items(
    consent_statistics_items: pl.DataFrame, *, dimension: Literal["category", "vendor"] = "category"
) -> go.Figure:
    """Return bars of the share of exposed visitors who accepted each category or vendor.

    Parameters
    ----------
    consent_statistics_items, dimension
        As `crmlab.analysis.banner_items`.

    Returns
    -------
    go.Figure
        Horizontal bars, 0-100 %, each with the numbers it was made of; twenty at most.

    Raises
    ------
    UsageError
        `dimension` is neither ``"category"`` nor ``"vendor"``.

    Examples
    --------
    >>> import polars as pl
    >>> from crmlab import plots
    >>> from crmlab.schema import TABLES, conform
    >>> rows = {"account": ["web"] * 2, "dimension": ["category"] * 2, "item_id": ["1"] * 2, "optin": [90, 110],
    ...         "visitors_exposed": [100, 300]}
    >>> figure = plots.banner_items(conform(pl.DataFrame(rows), TABLES["consent_statistics_items"]))
    >>> figure.layout.title.text
    'Accepted by category (n = 1 category)'
    """
    title = f"Accepted by {dimension}"
    items = analysis.banner_items(consent_statistics_items, dimension=dimension).filter(
        pl.col("visitors_exposed") > 0
    )
    if items.is_empty():
        why = f"no {dimension} has exposed visitors."
        empty = "the consent statistics items table is empty."
        return nothing(title, why if height_of(consent_statistics_items) else empty)
    several = items.select("provider", "account").unique().height > 1
    keys = ["account", "item_id"] if several else ["item_id"]
    shown = _shares.labelled(items, keys, "").rename({"optin": "part", "visitors_exposed": "whole"})
    return _shares.one(
        shown.with_columns(pl.concat_str(pl.lit(f"{dimension} "), "label").alias("label")),
        title,
        "Accepted, % of exposed visitors",
        plural(items.height, dimension, "categories" if dimension == "category" else "vendors"),
        "Of the visitors of the days that tell it; numbers are the service's",
    )
