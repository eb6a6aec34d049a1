"""Figures of consent banners: what visitors chose, and which categories and vendors they accepted."""

from __future__ import annotations

from typing import Literal

import plotly.graph_objects as go
import polars as pl

from crmlab import analysis
from crmlab.analysis.inputs import By, names_of
from crmlab.display import plural
from crmlab.plots import _shares
from crmlab.plots._fetches import draws
from crmlab.plots._template import GREEN, PALETTE, REST, VERMILLION, how_many, nothing_of

__all__ = ["banner_items", "banner_rates"]

#: what became of a visitor: column, words, colour
_CHOICES = (
    ("explicit_optin", "accepted by a click", GREEN),
    ("implicit_optin", "accepted otherwise", PALETTE[4]),
    ("optout", "refused", VERMILLION),
    ("no_choice", "chose nothing", REST),
)


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
    group_columns = names_of(by)
    rates = analysis.banner_rates(consent_statistics, by=by, every=every)
    # who accepted and refused on one day is in both; what is left is then less than nothing
    implicit = (pl.col("optin") - pl.col("explicit_optin")).clip(lower_bound=0)
    counts = rates.with_columns(
        implicit.alias("implicit_optin"), pl.col("no_choice").clip(lower_bound=0)
    )
    known_rates = counts.drop_nulls([column for column, _, _ in _CHOICES])
    visitors = int(known_rates["visitors_exposed"].sum())
    if not visitors:
        explanation = "no banner tells all choices of its visitors."
        return nothing_of("consent statistics", consent_statistics, title, explanation)

    left_out = rates.height - known_rates.height
    whole_label = "All visitors"
    # rows without a device are of all of them
    if group_columns == ["device"]:
        whole_label = "All devices"
        known_rates = known_rates.with_columns(pl.col("device").fill_null(whole_label))
    return _shares.parts(
        _shares.labelled(known_rates, group_columns, whole_label),
        _CHOICES,
        title,
        "% of exposed visitors",
        plural(visitors, "exposed visitor"),
        "A visitor of two days or banners is two",
        how_many(left_out, "group", "with unknown counts left out"),
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
    items = analysis.banner_items(consent_statistics_items, dimension=dimension)
    # an item that nobody saw has no share
    seen_items = items.filter(pl.col("visitors_exposed") > 0)
    if seen_items.is_empty():
        explanation = f"no {dimension} has exposed visitors."
        return nothing_of("consent statistics items", consent_statistics_items, title, explanation)

    # each account numbers its own items
    group_columns = ["item_id"]
    if seen_items.select("provider", "account").n_unique() > 1:
        group_columns = ["account", "item_id"]
    counts = _shares.labelled(seen_items, group_columns, "")
    counts = counts.rename({"optin": "part", "visitors_exposed": "whole"})
    label = pl.concat_str(pl.lit(f"{dimension} "), "label").alias("label")
    noun_of_several = "vendors"
    if dimension == "category":
        noun_of_several = "categories"
    return _shares.one(
        counts.with_columns(label),
        title,
        "Accepted, % of exposed visitors",
        plural(seen_items.height, dimension, noun_of_several),
        "Of the visitors of the days that tell it; numbers are the service's",
    )
